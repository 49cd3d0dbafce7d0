// Package eventstore is the write side's log over EventStoreDB and KurrentDB, through the official client. It leaves
// out what the write side does not need: persistent subscriptions, deletion, stream metadata, projections.
//
// # Design
//
// The client, v4.2.0, has defects that this package keeps to itself:
//
//   - A discovery that fails kills a client for good, and callers that share it and wait at that moment wait for ever,
//     whatever their context says. A client whose server failed discovers again by itself, and loses its old connection.
//     Closing a client with calls in flight panics. Hence a client is never shared: it connects once, with one attempt,
//     serves one call at a time from a pool, and is closed after the call that found its server gone.
//   - Calls may outlast their context while they connect. Each runs in a goroutine of its own, which its caller leaves
//     when time is up; the goroutine then gives the client back. Until then it counts as one of MaxConnections, so that a
//     store that does not answer is not asked more often the less it answers.
//   - Subscriptions and reads are always closed, since they leak otherwise; a dropped subscription is made anew.
//   - Errors are matched with errors.As, because some are wrapped and the client's own FromError misses those. Codes the
//     client has no name for are read from the gRPC status. Its panics become errors.
//
// Two cannot be kept out. When a server sends an event without its creation time, the client calls log.Fatal, which ends
// the process; no released server does, and a test in a process of its own shows it. When a node answers that another
// leads, and that other cannot be reached, the client forgets a gRPC connection, unconnected, for each such answer; no
// server answers so to this client, which never asks for the leader. What else the client gets wrong is not used here:
// metadata of streams, deletion, persistent subscriptions, and positions of being caught up, which are kept by hand.
//
// A stream is read in pages that end after 4,096 events or with the event that reaches 4 MiB: few calls for a long stream, and
// for none a page so large that it could not come in time or be held in memory.
//
// # Faults
//
// logtest.RunFaults holds the package to these times, each with some slack for a busy machine:
//
//   - An append, or one page of a read, returns within OperationTimeout and RetryFor together, whatever the network does.
//   - After an outage, the first call finds the store; where connections died without a word, the first call fails after
//     OperationTimeout and takes all idle ones with it, and the second succeeds.
//   - In a cluster, silent nodes cost the gossip timeout each: that of the address, or OperationTimeout divided among the
//     nodes and one more, with 1 s at least. A new leader is found as soon as gossip names it.
//   - A Follow goes on after a pause that grows with the outage, up to 5 s and half as much by chance. Where its connection
//     died without a word, gRPC's pings notice: after keepAliveInterval, which gRPC raises to 10 s at least, and
//     keepAliveTimeout, 20 s by default.
//
// A store replaced by another at the same address would be silent up to the old position, and then go on with another
// history. So a Follow begins each subscription by looking for the event it saw last, and for the end of the log; another
// event there ends it with ErrReplaced at once, a log that is shorter does after BehindFor, since a node of a cluster may be
// behind the others. A position alone, without an event seen in this Follow, only tells a log that is shorter, or has no
// record boundary there. A store that is replaced between that look and the subscription, over a connection that is lost right
// then, is not noticed.
//
// An append that fails without an answer may have been written. It is sent again with the same event ids for a bounded
// time, which the store recognises; a caller that gets commands.ErrUnavailable may do the same later.
package eventstore
