// Package commands is the write side: it loads a history, decides, and appends at the revision it read. It knows no
// store, no transport and no aggregate.
//
// # Design
//
// There is no command bus. A Handler is a value per aggregate; Log is the store as the write side needs it. The stream
// itself is the memory of idempotency: a command id found in it with the same body returns the first receipt, with another
// body is refused. Event ids derive from the command id, the stream, the hash of the body and the index, so that a retry is
// the same append, and one key with two bodies is never the same append, not even when both are sent at the same moment.
// A key is remembered by its stream only: sent to two streams it is two commands, whose events have ids of their own.
//
// The hash of a body is an HMAC under a key of the installation, over a canonical encoding of the command in clear (see
// hash.go): equal bodies can be told without the metadata telling anyone what was in them. Commands and their fields therefore
// keep their names, types and order, and a field that is not wanted any more stays, as Automatic of ticket.Respond does: a wish
// that is sent again after an upgrade would be another.
//
// HandleAll is one atomic append. Only when the store refuses its size is it split, in order, into the fewest halvings
// that fit; a crash in between leaves a prefix, which sending the same commands again completes.
//
// There are no snapshots. A command on a case of 10,000 events, a thousand times the length of a usual one, takes about 0.1 s:
// on two cores that also ran the store, medians of 0.7 ms for 10 events, 3 ms for 100, 14 ms for 1,000 and 110 ms for 10,000
// (BenchmarkHandle in commands/eventstore). That is 12 µs of CPU time for each event, the store's included, of which decoding
// takes two fifths, receiving a third, and the fold a hundredth. A snapshot would be a second stored form of every State, to
// be versioned, and forgotten with its person, to save what nobody notices. Instead the bound is kept where it could be lost: the
// adapter reads 10,000 events in three calls, a fold is linear, and a command that lost a race reads only what is new.
//
// Failures of the store leave a Handler as refusals of kind Unavailable that still wrap their cause: the edge tells the
// caller to try again, the log keeps the reason.
package commands
