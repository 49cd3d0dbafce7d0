// Package viewtest helps tests of read models: histories in, rows out, on a real Postgres. It leaves out the runner: a
// batch is what the test says it is.
package viewtest
