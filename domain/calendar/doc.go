// Package calendar counts working time: which instants are open, how much open time lies between two of them, and when
// a budget of open time is used up. It leaves out what a budget is for (domain/clock) and which version of a calendar
// was in force (domain/policy), and it does not know which tz database it runs on: cmd embeds one and records its name.
//
// # Design
//
// A calendar is written in local wall time and evaluated in instants. The bridge is the zone's own list of offset
// changes: within a stretch of constant offset wall time is linear, so every interval becomes an instant by one
// subtraction, and nothing is ever guessed from a wall time that does not exist or exists twice. A skipped hour, or a
// skipped day, therefore has no open time, and a repeated hour counts twice, wherever in the day the change falls and
// also when it repeats parts of two dates.
//
// Everything is half-open: an interval holds its opening and not its closing. A budget that ends exactly at closing
// time is due at closing time, because due is the least instant at which enough has elapsed.
//
// A Calendar is immutable after New and safe for concurrent use without locks.
package calendar
