// Package clock is the SLA engine: definitions, the promises made under them, and their verdicts.
//
// # Design
//
// A clock definition names an event pair, a budget with a unit, and what pauses it. Starting a clock appends the
// promise, with every reason for its due time, to the case's own stream; nothing ever edits it. A change of priority,
// policy or calendar supersedes the instance by a new one and leaves the old one with its verdict. Stop exactly at due
// is met. A target or verdict that another system recorded is kept as that system's and never mixed with ours.
package clock
