// Package reaction turns what happened, and time, into commands: processes over several histories and timers. It writes
// through handlers only. The first is the Timer that records breaches.
//
// # Design
//
// The Timer keeps every running clock in memory, ordered by due time. It learns them by following the events of clocks from
// the beginning of the log at every start, filtered by the store: the cost is reading all clock events ever recorded, some
// seconds a million. In return there is no checkpoint to lose and nothing to migrate. It does nothing before it has caught
// up, since a clock that looks overdue half way may have been stopped long ago.
//
// A breach is recorded exactly once, however many timers run and whenever they restart: the decider records it only
// for a clock that runs and is due, at the revision it read; and the command's id derives from ticket, instance and due
// time, so that two timers with the same thought have the same command.
//
// Events reach a reaction through a router of Watermill, one after another and acked once they were taken. What fails is tried again after
// growing pauses. What keeps failing is poison: it is told in the log and as a figure, and the reaction goes on with the next event, since
// one event must not keep all other promises from being watched. The event is still where it was; the Timer is given it again
// when it starts again. This takes 7 µs an event, less than reading it takes.
//
// A command that follows from an event continues the trace of the command that led to the event, however much later.
//
// After an import of history many clocks are overdue at once. They are worked off with bounded concurrency, oldest first.
// A ticket whose command fails is tried again later and holds up no other.
package reaction
