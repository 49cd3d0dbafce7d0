package feed_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"aftercare/projections/feed"
	"aftercare/projections/feed/feedtest"
)

func TestLargeEventsInFlightAreBoundedByTheirSize(t *testing.T) {
	t.Parallel()
	const (
		count = 90
		size  = 900 << 10
		most  = 65 << 20
	)
	store := feedtest.New(t)
	for n := range count {
		e := event("case.noted.v1", n)
		e.Data = bytes.Repeat([]byte{'1'}, size)
		store.Append("case-1", e)
	}
	messages := subscribe(t, store, "case", feed.Options{Ahead: 10 * count})
	var held []*message.Message
	for silent := false; !silent; {
		select {
		case m := <-messages:
			held = append(held, m)
		case <-time.After(time.Second):
			silent = true
		}
	}
	if len(held) == 0 || len(held)*size > most {
		t.Errorf("%d messages of %d bytes are in flight, want some, and %d bytes at most", len(held), size, most)
	}
	for _, m := range held {
		m.Ack()
	}
	take(t, messages, count-len(held))
}
