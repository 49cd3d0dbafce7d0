// Package storage keeps the events of a node: one append-only log file, an index over it, and the single
// writer that decides and stores appends. It knows nothing of gRPC.
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
// acknowledges. An append that fails on the way (a full disk, say) is answered with a NotStoredError, nothing
// of its group becomes visible, and the next group overwrites the same place.
//
// The index (streams, and revision to position) is index.db, a bbolt file written in the background
// from a table in memory. It holds nothing that the log does not: a start reads the log from where
// the index ends, and a missing or foreign index is built anew. An index that knows more than the
// log holds means that acknowledged events were lost, and the store refuses to open.
//
// Each record also says how much of the log was known to be on disk when it was written. That
// separates, at the next start, a write that a crash tore (cut off, nobody was told it succeeded)
// from damage to something acknowledged (refused with the position).
package storage
