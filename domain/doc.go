// Package domain holds what every aggregate shares: events, the metadata they are recorded with,
// deciders and refusals. It is pure: no I/O, no clock, no randomness.
//
// # Design
//
// A history is a stream of events named "<category>-<id>". An event carries its own business time
// (when it happened); the store adds the time it was recorded. Both are kept: a fact learned late is
// not a fact that happened late.
package domain
