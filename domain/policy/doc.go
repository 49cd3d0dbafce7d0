// Package policy holds the versions of calendars and clock definitions, and which of them is in force when.
//
// # Design
//
// A policy is an aggregate of its own, and a version is an event: publishing the same version again with the same content leads to
// nothing, with other content it is refused. Versions are numbered from 1 without gaps. A policy is a
// calendar or a rule pack for good. The Book is the fold of all policies; it only ever grows, so a promise can always be explained by the versions it names.
package policy
