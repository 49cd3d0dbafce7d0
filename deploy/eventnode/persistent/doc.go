// Package persistent delivers events to groups of competing consumers and remembers, durably, how far
// each group has come. It is the engine of persistent subscriptions: it knows neither gRPC nor the form
// of the log, and reads and writes through the small interface Log.
//
// It leaves out the definitions of groups (their names, and where they are kept), which belong to the
// node, and the contents of events: a group handles references, and consumers load what they send.
//
// # Design
//
// Group is a state machine: inputs are methods (consumers that join and leave, events read, answers of
// consumers, the outcome of writes, ticks), outputs are Effects (events to deliver, to park, a
// checkpoint to write). It has no clock, no goroutine and no randomness, so that the same inputs always
// give the same outputs and a model can check it. Runner is the one goroutine that feeds a Group: it
// reads the log when the group has room, passes on what consumers say, and carries out effects.
//
// What a group guarantees:
//
//   - Every event behind the start is in the end acknowledged, parked, or skipped because a consumer
//     said so. Retries, consumers that vanish and crashes of the node may deliver it again, never lose it.
//   - A checkpoint never passes an event that is unfinished. An event that is to be parked counts as
//     unfinished until its link is on disk.
//   - A consumer never has more events unanswered than it asked for.
//   - New events are delivered in order; with one consumer and no retries it sees the order of the log.
//     Events that go back, because of a refusal, a timeout or a consumer that left, come ahead of new
//     ones and in order among themselves.
//   - Parked events that are replayed stay in the parked stream until they are finished. A crash in the
//     middle leaves them parked.
//
// Memory is bounded: a group holds at most as many events as its buffer size, as many replayed ones, and
// what its consumers have in their hands, each a reference of about a hundred bytes. A group without
// consumers reads nothing, and one that has delivered everything sleeps until the log grows.
//
// Nothing here blocks the writer of the log. A group reads at its own pace, and writes (parked events and
// checkpoints) one batch at a time beside its loop, so that deliveries go on meanwhile. A write that
// fails is tried again with the next tick.
package persistent
