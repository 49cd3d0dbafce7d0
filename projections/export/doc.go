// Package export writes the events of the log to files that the tools of data teams read: Parquet, NDJSON, CSV and XES (IEEE 1849-2016, for
// process mining). It reads the archive, not the views: what it writes is the record itself.
//
// # Design
//
// Words of persons never leave: wherever an event has a sealed text, the export has {"subject": …, "closed": true}. Neither the cipher text
// is there nor whether the person has been forgotten since, so that erasing somebody makes no export wrong that was taken before. The opaque
// ids of persons stay: they are what cases are counted by.
//
// An export is a folder with a manifest. It goes through the log in stretches; each stretch becomes one file a month, in folders that
// DuckDB, Spark and others read as a partition ("month=2026-11"). A file is written under another name, synced and renamed, and counts once
// the manifest names it, which is replaced after every stretch. Run again, an export goes on after the last stretch: what was interrupted
// is finished, and what was recorded since is added; finished files are never touched. The month is that of recording, since only then
// a month that is over never changes; for histories that were imported, the month in which things happened can be asked for instead.
//
// XES holds whole traces, one a stream, so it goes through the streams rather than through the log, up to where the log ended when the export
// began. Such an export can be finished, but not added to.
//
// Cells of a CSV file that a spreadsheet would take for a formula have an apostrophe before them.
package export
