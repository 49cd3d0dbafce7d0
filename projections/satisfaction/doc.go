// Package satisfaction is the read model of ratings: one row an answer of a customer, and figures over them.
//
// # Design
//
// Scores are kept on the scale they were given on; conversion is the query's, by a named policy. A rating belongs to whom
// the event says performed the resolving act, never to who has the case now. The last rating of a case is its headline;
// earlier ones stay. Small samples are marked. Nobody is invited yet, so there is no response rate.
//
// The fold needs to know its case before the first rating; the table has one row for that, which the SQL view "rating",
// the only thing queries read, leaves out.
package satisfaction
