// Package projections is the read side: it folds the log into tables of Postgres, exactly once, and can do so again at any time.
//
// A View is a read model. A Runner keeps views up to date; a Rebuilder makes them anew beside the live ones; a Tracker says
// how far they are and waits for them. Package feed brings the events, package fold makes most views, package postgres has
// the tables that outlive views. What a view means, and how it is queried, is in the view's own folder.
//
// # Design
//
// A view is a folder: its tables, its fold, its queries. The tables of a view live in a Postgres schema of their own,
// "view_<name>"; queries name it, the fold does not (the runner sets the search path), so that a rebuild fills
// another schema with the same statements and then takes the name in one transaction.
//
// Exactly once comes from Postgres, not from acknowledgements. One transaction locks a view's checkpoint, checks that it is
// where this runner left it, folds a batch and moves it on. A message is acked once all views have committed it, which only
// means "next, please": after a crash the feed starts at the checkpoint that is least far, and every view skips what it has.
// A checkpoint found further than expected belongs to another runner, and this one stops keeping the view (ErrTaken). One
// found further back was lost by the database together with its rows, and folding goes on from there.
//
// Errors are of two kinds. Those that say nothing about an event (no connection, no such table, a deadlock) are waited
// out for as long as it takes; a view that fails for longer than Runner.Patience leaves the round, so that it holds up no
// other view, and comes back with a new subscription once it has recovered. All others are the event's: the batch is halved
// until the event is found, tried again, and then parked, as is everything later of its stream, for that view alone. The
// parked row names the place in the log and holds no payload, so that there is nothing in it to erase. A stream stays parked
// until a Replay has folded all of it.
//
// A rebuild is the same thing under another key: "<name>@next" has a checkpoint, a schema and parked events like any view.
// Whole histories are folded in memory and copied in, indexes come after, and the tail is folded by the code of the live
// view. The last events are folded under the lock of the live checkpoint, then schemas, parked events and checkpoint change
// places, with the next generation; the live runner sees it when it gets the lock, and goes on from the new checkpoint.
package projections
