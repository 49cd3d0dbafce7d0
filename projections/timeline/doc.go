// Package timeline is the read model of histories: one row an event of a case, in the order of its stream, and the flow
// figures that follow from it. How a case stands now is package ticket's.
//
// # Design
//
// Rows are only ever added: history is never rewritten. Details are for display; what figures are computed from has
// columns of its own. Sealed texts arrive open, and are kept, apart
// from the codes, as the words or as the mark that they are forgotten.
package timeline
