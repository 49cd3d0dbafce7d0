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
// What is kept, and how it survives a crash, is package storage. This package is the protocol: it turns calls into
// reads of the log and requests to its writer, and answers with the statuses and trailers that clients decode.
//
// Subscriptions never hold up the writer: it closes a channel, and every subscription reads the log
// again from where it stands, at the pace of its own consumer. So there is no queue to overflow and
// no gap to fill.
package eventnode
