// Package facet is how cases are chosen and grouped in every read model: one filter, one list of dimensions, one meaning
// of a month. It leaves out what is counted.
//
// # Design
//
// A figure and the list of the cases behind it take the same Filter, so a reader can always open what was counted. A
// dimension that is not known is the empty value of its group, never left out. Months, weeks and years are those of a
// reporting zone, which the query names.
package facet
