// Package importer turns foreign files into commands, driven by mappings: a new source is a new mapping and no Go.
//
// # Design
//
// Every format is read as rows of named text (package table). A mapping says what the columns mean; compile.go turns a row
// into the commands it stands for, or into a refusal that names file, row, column, value and reason. Rows of one case become
// one append, so a case is there whole or not at all.
//
// An import is repeatable: the id of a case derives from its source and key, the id of its command from what the rows say, and
// a row that was recorded is passed over. Interrupted and run again it goes on without a duplicate.
//
// A file is taken for the whole history of its cases so far: rows that follow those recorded before are added, and rows that come late
// between them are passed over, never recorded twice. Files that overlap within one run are read as one.
//
// Facts keep their own time. A target or verdict of the source is recorded as the source's.
//
// Left out: writing back to a source, and watching a folder.
package importer
