// Package sla is the read model of promises: one row a clock of a case, with what became of it, and attainment over them.
//
// # Design
//
// There are three origins and they are never mixed by accident: clocks that ran here, due times that the system a case
// came from had set (judged here, by comparing them with what happened), and verdicts that system gave itself (kept
// verbatim). A query names the one it means.
//
// A row has the case's dimensions as they were at the verdict, or are while it runs: a case that changes hands later does
// not take its verdict along. An instance that was superseded counts for nothing: the one that took its place does.
//
// The fold needs to know its case before the first clock starts; the table has one row for that, which the SQL view
// "clock", the only thing queries read, leaves out.
package sla
