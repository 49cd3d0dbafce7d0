// Package archive is the log as rebuilds, exports and as-of views read it: segments of it that are kept in a folder, and the store
// for the rest. Reading the store through its client is the slowest part of a rebuild; a segment is read several times as fast.
//
// # Design
//
// The store is the only truth. A segment is a copy of a stretch of the log, made by whoever reads that stretch anyway, and may be
// deleted at any time: what is missing is read from the store and becomes a segment again. Segments hold what the store holds, so texts of
// persons are sealed in them, and unreadable once the person is forgotten.
//
// A segment never changes. It is written under another name, synced and renamed; only the newest one, when it is short, is replaced by a
// longer one that begins at the same place. Its events are grouped by Bucket into parts, compressed one by one, in the order
// of the log within each: a rebuild reads some buckets of all segments and sees whole streams, so that what it holds in memory depends
// on the number of buckets it reads at once and not on the length of the log. Reading everything in the order of the log
// merges the parts of one segment after the other.
//
// The file begins with a head of fixed size: where the segment begins and ends, its last event's id, and length, events and SHA-256 of
// every part. The SHA-256 of the head follows it, which thereby speaks for the whole file. Heads are checked when a folder is opened,
// a part each time before anything of it is served. A damaged part has its whole segment read from the store again, which may have
// dropped events meanwhile, but must not have another one at the segment's end: that is another log, and reading ends with feed.ErrReplaced.
// Only files that are no good are removed. Who cannot open one, say for too many open files, gets the error.
//
// What a folder holds is used from the beginning of the log on, as far as segments join. Whether it is of the store at hand, which may have
// been restored or replaced, is asked of the store: it must have the last event of the newest segment at its place; where it does
// not, that segment is dropped and the one before it is asked for.
package archive
