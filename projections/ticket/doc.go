// Package ticket is the read model of cases: one row a case, as it is now, with the times of its milestones; lists,
// filters, searches and counts over them. What happened to a case, event by event, is package timeline's.
//
// # Design
//
// Sealed texts arrive open, and are kept as the words or as the mark that they are forgotten. Milestones that repeat keep
// the first and the last time. A row's revision is that of its stream, clocks included, so that a front end can name it
// as the revision its wish expects.
package ticket
