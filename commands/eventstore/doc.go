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
//     when time is up; the goroutine then gives the client back.
//   - Subscriptions and reads are always closed, since they leak otherwise; a dropped subscription is made anew.
//   - Errors are matched with errors.As, because some are wrapped and the client's own FromError misses those. Codes the
//     client has no name for are read from the gRPC status. Its panics become errors.
//
// One cannot be kept out: when a server sends an event without its creation time, the client calls log.Fatal. No released
// server does.
//
// An append that fails without an answer may have been written. It is sent again with the same event ids for a bounded
// time, which the store recognises; a caller that gets commands.ErrUnavailable may do the same later.
package eventstore
