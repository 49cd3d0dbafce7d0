// Package graph is the GraphQL API: the schema, its resolvers, and the HTTP handler that serves them with GraphiQL. It leaves out
// what a refusal says in words (package locale), who asks (package auth) and what is true (commands and projections).
//
// # Design
//
// A mutation answers with what became of the wish or with a typed problem; errors at the top of an answer are faults, or
// requests that make no sense. A wish carries a command id, and repeating it gives the first answer again, also when the time
// was left to us: the time of the first try is then taken from the log. Words are sealed for the customer of the case as the
// log has it, never as a view has it, which may be behind.
//
// Reads say how fresh they are: consistency.atLeast waits, bounded, for every view the operation reads, and
// extensions.consistency tells the position from before the read. What was not reached in time is answered with what there is.
//
// Every limit is checked before anything is resolved: the size of the request, its tokens, depth, aliases and cost, which are
// measured once a fragment. Lists below tickets are read for all tickets of a list at once (package loader).
//
// Subscriptions share one look at the database: a client is registered before anything is read for it, and is told states,
// not events, so a slow client misses states in between and never the last.
//
// The resolvers are written by hand against the interfaces that gqlgen makes of the schema; the compiler says when one is missing.
package graph

//go:generate go tool gqlgen generate
