// Package logtest says what a commands.Log must do, as a test suite that every Log runs, and has the simplest Log that
// passes it: one in memory, for tests of what is built on a Log.
//
// # Design
//
// The suite brings its own events, catalog and sealer, so that it depends on no aggregate. Memory keeps encoded bytes and
// decodes on every read, as a store does: what passes against it was encoded, sealed and decoded.
package logtest
