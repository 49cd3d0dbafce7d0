// Command aftercare is the whole product in one binary: stores, projectors, API and tools.
//
// # Design
//
// A subcommand is a file. Every subcommand finds its stores in the same way (stores.go): addresses that were given; else those of an
// "aftercare up" that runs on the data directory; else it starts the embedded ones for as long as it runs.
//
// Exit codes: 0 done; 1 failed; 2 wrong usage; 3 done, but some rows of an import were refused; 4 a check found mismatches.
package main
