// Package projections is the read side: it folds the log into tables of Postgres, exactly once, and can do so again at any time.
//
// # Design
//
// A view is a folder: its tables, its fold, its queries. The tables of a view live in a Postgres schema of their own,
// "view_<name>"; queries name it, the fold does not (the runner sets the search path), so that a rebuild fills
// another schema with the same statements and then takes the name in one transaction.
package projections
