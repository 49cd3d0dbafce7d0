// Package logtest says what a commands.Log must do, as a test suite that every Log runs, another for those that are reached
// over a network, which fails, and has the simplest Log that passes the first: one in memory, for tests of what is built on
// a Log.
//
// # Design
//
// The suite brings its own events, catalog and sealer, so that it depends on no aggregate. Memory keeps encoded bytes and
// decodes on every read, as a store does: what passes against it was encoded, sealed and decoded.
//
// The suite of faults keeps a proxy before the store. To run its random part for longer, and against a real server:
//
//	AFTERCARE_TEST_FAULTS=5m AFTERCARE_TEST_EVENTSTORE_URL='esdb://127.0.0.1:2113?tls=false' \
//	  go test -race -timeout 30m -run 'TestFaults' ./commands/eventstore ./projections/feed
package logtest
