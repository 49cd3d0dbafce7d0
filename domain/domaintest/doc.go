// Package domaintest tests deciders by example: given what happened, when something is asked, then this follows.
//
// # Design
//
// A table is a map from the rule, in words, to its Case. Events are compared with go-cmp by value; texts by seal.Text.Equal. Each
// case also checks what holds for every decider: the same question gives the same answer, and asking changes nothing.
package domaintest
