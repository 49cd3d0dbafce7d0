// Package postgres opens the database of the read models and keeps its long-lived tables up to date.
//
// Those are the tables that no log can rebuild, or that say how far a rebuild is: checkpoints and parked events. The tables
// of the views are not here; each view brings its own.
//
// # Design
//
// Migrations are SQL files, embedded, numbered without gaps and only ever added to. They run forward, each in a transaction,
// under an advisory lock, so that processes that start together wait for one another. A database that is newer than the
// program is refused rather than used.
//
// Instants are read and written in UTC whatever the zone of the server or the machine.
package postgres
