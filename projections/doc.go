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
// A checkpoint found further than expected was moved by another runner: it is read again, if the view is still ours. One
// found further back was lost by the database together with its rows, and folding goes on from there.
//
// Runners on one database divide the views by leases, rows in the database that last a few seconds and go by its clock. Each computes
// the same division from who is there, so nobody negotiates; a view changes hands when the batch under way is committed, or
// when its lease has run out. Leases keep two runners from doing the same work. What keeps rows right is the checkpoint.
//
// A process that is stopped, or out of reach, in the midst of a transaction keeps its locks until Postgres ends the transaction, which the transaction
// asks for: after 10 s without a statement, and after half their time to live for that of the leases. A statement without an answer is
// given up after Runner.Answer. A runner that cannot reach the log for twice its time to live leaves the views to those that can. A program
// folds nothing into tables of another shape, also where they are put under its hands.
//
// Views that take decoded events share a subscription and what is decoded. Those that take events as they are stored, the metrics of other
// people, have one each, so that a slow one holds nobody up.
//
// Live, batches are spaced: an event that comes alone is folded at once, and where hundreds come in a second each transaction
// takes those of some milliseconds, which costs a tenth.
//
// Errors are of two kinds. Those that say nothing about an event (no connection, no such table, a deadlock) are waited
// out for as long as it takes; a view that fails for longer than Runner.Patience leaves the round, so that it holds up no
// other view, and comes back with a new subscription once it has recovered. All others are the event's, also those that
// look like a lost connection but came up while there was one: the batch is halved
// until the event is found, tried again, and then parked, as is everything later of its stream, for that view alone. The
// parked row names the place in the log and holds no payload, so that there is nothing in it to erase. A stream stays parked
// until a Replay has folded all of it.
//
// Every version of a view has a key, a schema, a checkpoint and parked events of its own: the live one, "<name>@next", which a rebuild
// fills, "<name>@previous", which the last switch left, and those that were made as of an instant. A rebuild first has the archive read
// what it lacks of the log. Then goroutines take portions of it, some buckets of whole streams each: a portion is decoded and folded in
// memory for all views, copied in, and noted as done in the same transaction; a bucket of a long log is divided once more, and read as often. So what a rebuild holds in memory depends on
// the portion and not on the log, and one that was killed goes on with the portions that are missing, if the same program asks for the
// same. A view across streams is given the log in order instead, and its checkpoint says where to go on. Indexes come after, and the tail
// is folded by the code of the live view. The last events are folded under the lock of the live checkpoint; then schemas, parked events and
// what checkpoints say change places, with the next generation. The live runner sees it when it gets the lock, and goes on from there.
package projections
