// Package eventnode is a single, durable event store node that speaks the gRPC protocol of
// EventStoreDB, so that the official client and code written for a real server work against it
// unchanged. It serves streams (append, batch append, read, catch-up subscriptions, filters, delete, tombstone,
// stream metadata), persistent subscriptions, server features and gossip.
//
// On the same port it answers HTTP/1: /health/live and /health/ready, /metrics for Prometheus, and POST /admin/scavenge.
//
// It leaves out what a single machine does not need: clusters, access control by stream, managing users, projections and
// the operations service. Those calls answer UNIMPLEMENTED and are not listed among the server features.
//
// Without a certificate it does not encrypt its transport and everybody is served: bind it to loopback. With one and
// without users everything is encrypted, and everybody is still served. With users, who need a certificate, every call but
// gossip and server features takes the credentials of one of them, and each may read and write everything. The user
// "admin" may scavenge over HTTP as well. Health needs no credentials. Unlike a real server, which has an anonymous user
// without rights, a call without credentials is UNAUTHENTICATED and not PERMISSION_DENIED.
//
// # Design
//
// What is kept, and how it survives a crash, is package storage. This package is the protocol: it turns calls into
// reads of the log and requests to its writer, and answers with the statuses and trailers that clients decode.
//
// Subscriptions never hold up the writer: it closes a channel, and every subscription reads the log
// again from where it stands, at the pace of its own consumer. So there is no queue to overflow and
// no gap to fill.
//
// The front listens, and hands each connection to the gRPC or to the HTTP server by its first bytes, so that
// neither is slowed down by the other. With TLS a client that offers HTTP/1 gets it, and clients of gRPC never do.
//
// Passwords are bcrypt hashes, which are slow on purpose. One that was right is known again by a keyed hash that is
// kept in memory only, until its user changes.
//
// Persistent subscriptions are package persistent, one goroutine for each group, which reads the log in
// the same way. Definitions are in $persistentSubscriptionConfig, in the form of EventStoreDB; checkpoints
// and parked events are in streams of each group, as there. Where it differs from the real server:
//
//   - A group that starts at the end starts where the stream ended when the group was made, also after
//     a restart without a checkpoint. There it would start at the new end.
//   - Replayed events leave the parked stream when they are finished, not when they are read.
//   - A refusal with the action Stop leaves the event with its consumer until that leaves or time is up.
//     There the event counts as done.
//   - A group without consumers does not read ahead, and is called Behind while it has events to read.
//   - A group of a tombstoned stream gets the event that ended it, and nothing else that it has not read.
//     There it may drop its consumers for good.
//   - When the node stops, checkpoints are written and consumers end with UNAVAILABLE.
package eventnode
