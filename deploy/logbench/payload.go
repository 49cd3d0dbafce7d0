package main

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

const (
	eventType     = "ticket.answered.v1"
	payloadBytes  = 500
	metadataBytes = 200
)

// payload is the JSON of an event, of exactly payloadBytes.
var payload = fill(`{"ticket":"7f0c2b1e-9a53-4d1c-8f0e-2f6f1f0c9a11","by":"agent-42","at":"2026-01-05T09:30:00Z","text":"`, payloadBytes)

// metadata is of exactly metadataBytes.
var metadata = fill(`{"$correlationId":"0b9e4bb2-54d3-4c53-a4ff-0a2a9e9b7f10","$causationId":"5f1e6a2c-0c2b-4b6e-9f4d-6d0f3f7f6f55","actor":"agent-42","reason":"`, metadataBytes)

// fill lengthens an unfinished JSON object, within its last string, to n bytes.
func fill(start string, n int) []byte {
	const words = "The parcel arrived damaged and the customer asks for a replacement before the weekend. "
	text := strings.Repeat(words, n/len(words)+1)
	return []byte(start + text[:n-len(start)-len(`"}`)] + `"}`)
}

// eventID makes ids that are unique within a run, at no cost that would be measured.
func eventID(run uint32, writer int, n uint64) uuid.UUID {
	id := uuid.UUID{6: 0x40, 8: 0x80}
	binary.BigEndian.PutUint32(id[0:], run)
	id[4], id[5] = byte(writer>>8), byte(writer)   //nolint:gosec // G115: writers are few
	binary.BigEndian.PutUint32(id[12:], uint32(n)) //nolint:gosec // G115: as many as fit are enough
	return id
}

// streamName is as long as names of real streams are.
func streamName(run uint32, n int) string {
	return fmt.Sprintf("ticket-%08x-0000-4000-8000-%012x", run, n)
}

func clientEvents(run uint32, writer int, from uint64, count int) []esdb.EventData {
	events := make([]esdb.EventData, count)
	for i := range events {
		events[i] = esdb.EventData{
			EventID: eventID(run, writer, from+uint64(i)), EventType: eventType, ContentType: esdb.ContentTypeJson,
			Data: payload, Metadata: metadata,
		}
	}
	return events
}
