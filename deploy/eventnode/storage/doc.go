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
// acknowledges.
//
// The index (streams, and revision to position) is index.db, a bbolt file written in the background
// from a table in memory. It holds nothing that the log does not: a start reads the log from where
// the index ends, and a missing or foreign index is built anew. An index that knows more than the
// log holds means that acknowledged events were lost, and the store refuses to open.
//
// Each record also says how much of the log was known to be on disk when it was written. That
// separates, at the next start, a write that a crash tore (cut off, nobody was told it succeeded)
// from damage to something acknowledged (refused with the position). It cannot for the last group, which nothing was
// written behind. So the file "acked" says where the acknowledged part ends. It is written after each group, in front of
// the answers, but synced only by a start and a close: it is exact after the end of a process, may be behind after
// the loss of a machine, and is never ahead. Damage in front of it, or a log that ends there, is refused.
//
// # A write that fails
//
// When a write or its fsync fails, nobody knows what is on disk, and an fsync that succeeds later does not put the rest
// there. Nothing of the group becomes visible, and the log is cut where the group began. After a failed fsync the block
// that the cut goes through is written again, because it holds acknowledged events, too. Then that is synced. If all this
// works, the answer is a NotStoredError: the append is not stored and never will be. If it does not, the error
// is Uncertain: the next write begins with the same cut and fails if that does, and a start may find the append whole.
//
// # Scavenge
//
// A scavenge removes what readers of streams cannot see any more: what $maxCount, $maxAge and $tb hide, all of a stream
// that was ended but the event that ended it, and all metadata but the last. The last event of a stream stays, so that
// its revisions go on. What goes is always the beginning of a stream, and the last event of the log stays in any case.
//
// Nothing that was acknowledged is ever overwritten, and nothing moves. A new log is written beside the old one with
// each record where it stood and one filler in the place of each run of removed ones: a header, and the length
// again at its end. Between them is a hole that the file system does not store. So positions mean what they meant, and
// a consumer that remembers the position of a removed event goes on behind it. The writer waits only while the last few
// records are copied and the new log is renamed over the old one. A crash leaves one or the other, whole.
//
// Space comes back in whole blocks of the file system, 4 KiB mostly, so a removed event that stands alone between
// others frees nothing, and the size of the log as ls shows it never shrinks: du shows what it takes. While a
// scavenge runs the disk holds both logs. A copy made with a program that does not keep holes is as large as ls says.
//
// Which generation of the log a file is stands in its header. The index keeps, for each generation, the runs and the
// first revision that is left of each stream; those of a new one are written before the rename, and a start takes the
// ones that fit the log it finds. All of it is in the log, too, and a missing index is built from that. Entries of removed
// events stay in the index until it is built anew, and are not used.
//
// # Backup
//
// The log only grows, so a backup is a copy of its acknowledged beginning. It is made by another process, which learns
// the end from the file "acked". What a backup adds is on disk before its manifest says so, and what the manifest does
// not speak of does not count. A backup keeps what it has: events that are removed later stay in it.
package storage
