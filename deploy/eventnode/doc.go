// Package eventnode is a single, durable event store node that speaks the gRPC protocol of
// EventStoreDB, so that the official client and code written for a real server work against it
// unchanged. It serves streams (append, read, catch-up subscriptions, filters, delete, tombstone,
// stream metadata), server features and gossip.
//
// It leaves out what a single machine does not need: clusters, users, access control, projections,
// consuming persistent subscriptions, batch append and scavenging. Those calls answer UNIMPLEMENTED
// and are not listed among the server features. Groups of persistent subscriptions can be created and
// deleted, and their definitions last, but nothing is delivered to them. It does not encrypt its
// transport: bind it to loopback.
//
// # Design
//
// The log is one append-only file, events.log. A position is the offset of a record in it, so
// positions increase strictly, have gaps, and denote the same event for ever. Every record carries
// its own position and a CRC-32C that is verified on each read: a damaged record is named and
// refused, never served.
//
// One goroutine writes. It takes every append that waits, decides each against the expected
// revision, writes all of them with one write and one fsync, makes them visible, and only then
// acknowledges. An append that fails on the way (a full disk, say) is answered ABORTED, nothing of
// its group becomes visible, and the next group overwrites the same place.
//
// The index (streams, and revision to position) is index.db, a bbolt file written in the background
// from a table in memory. It holds nothing that the log does not: a start reads the log from where
// the index ends, and a missing or foreign index is built anew. An index that knows more than the
// log holds means that acknowledged events were lost, and the node refuses to start.
//
// Each record also says how much of the log was known to be on disk when it was written. That
// separates, at the next start, a write that a crash tore (cut off, nobody was told it succeeded)
// from damage to something acknowledged (refused with the position).
//
// Subscriptions never hold up the writer: it closes a channel, and every subscription reads the log
// again from where it stands, at the pace of its own consumer. So there is no queue to overflow and
// no gap to fill.
package eventnode
