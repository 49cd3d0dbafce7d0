package main

import (
	"aftercare/domain/clock"
	"aftercare/domain/ticket"
)

// step says which type of event follows another, and in how many of a thousand cases.
type step struct {
	next string
	of   int
}

// The mix is that of the public data sets that the shipped mappings import: uci-incidents, bpic2013, helpdesk, boston311 and cfpb, imported
// one after the other into one log of 657,850 events of 80,960 streams. Counted there: which type follows which within a stream, the
// sizes of payloads (ticket.received.v1 601 bytes on average, clock.started.v1 564, ticket.classified.v1 191, all others below 110), the
// size of metadata (216 bytes), and sealed texts (1.4 a received case). Streams there have 8.1 events on average, half of them 5 or
// fewer, one in a hundred more than 35, and the longest 232.
const (
	// Lengths are 1 plus a number k with a probability in proportion to (zipfV+k)^-zipfS.
	zipfS, zipfV, longest = 3, 7, 231
)

// steps is the mix: steps of fewer than 4 in a thousand are left out.
func steps() map[string][]step {
	return map[string][]step{
		ticket.TypeReceived: {
			{ticket.TypeStatusRecorded, 529}, {clock.TypeTargetRecorded, 326}, {clock.TypeStarted, 98}, {clock.TypeVerdictRecorded, 47},
		},
		ticket.TypeStatusRecorded: {
			{ticket.TypeStatusRecorded, 310},
			{ticket.TypeAssigned, 254},
			{ticket.TypeClosed, 135},
			{ticket.TypeResolved, 113},
			{ticket.TypeClassified, 87},
			{ticket.TypeWaitStarted, 46},
			{clock.TypeVerdictRecorded, 27},
			{ticket.TypeResumed, 14},
			{ticket.TypeAcknowledged, 11},
			{ticket.TypePriorityChanged, 3},
		},
		ticket.TypeAssigned: {
			{ticket.TypeStatusRecorded, 632},
			{ticket.TypeClosed, 159},
			{ticket.TypeResolved, 93},
			{ticket.TypeAcknowledged, 38},
			{ticket.TypeResumed, 30},
			{ticket.TypeClassified, 22},
			{ticket.TypeWaitStarted, 17},
			{ticket.TypeReopened, 7},
			{ticket.TypeEscalated, 2},
		},
		ticket.TypeResolved:        {{ticket.TypeStatusRecorded, 1000}},
		ticket.TypeClassified:      {{ticket.TypeClosed, 908}, {ticket.TypeStatusRecorded, 86}, {ticket.TypeResolved, 6}},
		ticket.TypeClosed:          {{clock.TypeVerdictRecorded, 870}, {clock.TypeMetLate, 75}, {clock.TypeMet, 55}},
		ticket.TypeWaitStarted:     {{ticket.TypeStatusRecorded, 1000}},
		ticket.TypePriorityChanged: {{ticket.TypeStatusRecorded, 852}, {ticket.TypeClassified, 85}, {ticket.TypeAcknowledged, 63}},
		ticket.TypeResumed:         {{ticket.TypeStatusRecorded, 898}, {ticket.TypeWaitStarted, 102}},
		ticket.TypeReopened:        {{ticket.TypeStatusRecorded, 1000}},
		ticket.TypeAcknowledged:    {{ticket.TypeStatusRecorded, 859}, {ticket.TypeResumed, 110}, {ticket.TypeReopened, 31}},
		ticket.TypeEscalated:       {{ticket.TypeStatusRecorded, 930}, {ticket.TypeResumed, 70}},
		clock.TypeStarted:          {{clock.TypeTargetRecorded, 1000}},
		clock.TypeTargetRecorded:   {{ticket.TypeStatusRecorded, 748}, {clock.TypeVerdictRecorded, 139}, {clock.TypeBreached, 113}},
		clock.TypeMet:              {{clock.TypeVerdictRecorded, 1000}},
		clock.TypeBreached:         {{ticket.TypeStatusRecorded, 1000}},
		clock.TypeMetLate:          {{clock.TypeVerdictRecorded, 1000}},
		// Nothing follows a verdict there; a stream that is to be longer goes on with its history.
		clock.TypeVerdictRecorded: {{ticket.TypeStatusRecorded, 1000}},
	}
}
