// Package loader reads what hangs below tickets — their histories, clocks and ratings — for all tickets of a list at once.
//
// # Design
//
// Tickets that came from one statement are siblings, and share a Batch. Whoever first asks one of them for its clocks reads the
// clocks of all, and the others take theirs from the same answer: one statement a field, however many tickets there are and
// whether they were reached through edges, nodes or both. Unlike a dataloader it needs no timer, and unlike look-ahead it
// cannot guess wrong. It reaches across the pages of one list, not across lists.
package loader
