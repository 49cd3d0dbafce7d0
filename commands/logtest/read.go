package logtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"aftercare/commands"
	"aftercare/domain"
)

func emptyStream(t *testing.T, s Subject) {
	t.Helper()
	log := s.Open(t, Codec())
	wantNumbers(t, log, newStream())
	if got := mustRead(t, log, newStream(), 7); len(got) != 0 {
		t.Errorf("read %v from an empty stream", got)
	}
}

func readFrom(t *testing.T, s Subject) {
	t.Helper()
	log, stream := s.Open(t, Codec()), newStream()
	mustAppend(t, log, stream, commands.NoStream, propose(note(0), note(1), note(2)))
	for from := range 5 {
		got := mustRead(t, log, stream, uint64(from))
		if len(got) != max(0, 3-from) || len(got) > 0 && number(t, got[0]) != from {
			t.Errorf("from %d: got %v", from, got)
		}
	}
}

// header is a log that tells the position of its last event.
type header interface {
	Head(ctx context.Context) (domain.Position, error)
}

// headOf returns where to follow from so as to see nothing of what others left in the store.
func headOf(t *testing.T, log commands.Log) domain.Position {
	t.Helper()
	header, ok := log.(header)
	if !ok {
		return domain.Position{}
	}
	at, err := header.Head(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func head(t *testing.T, s Subject) {
	t.Helper()
	log, stream := s.Open(t, Codec()), newStream()
	header, ok := log.(header)
	if !ok {
		t.Skip("this log tells no head")
	}
	before, err := header.Head(bounded(t))
	if err != nil {
		t.Fatal(err)
	}
	receipt := mustAppend(t, log, stream, commands.NoStream, propose(note(0), note(1)))
	after, err := header.Head(bounded(t))
	if err != nil || receipt.Position.Compare(before) <= 0 || after.Compare(receipt.Position) < 0 {
		t.Errorf("head %v before and %v after an append at %v, %v", before, after, receipt.Position, err)
	}
}

func stopEarly(t *testing.T, s Subject) {
	t.Helper()
	log, stream := s.Open(t, Codec()), newStream()
	mustAppend(t, log, stream, commands.NoStream, propose(note(0), note(1), note(2)))
	for range 50 { // more often than a log has connections
		for r, err := range log.Read(bounded(t), stream, 0) {
			if err != nil || number(t, r) != 0 {
				t.Fatalf("got %v, %v", r, err)
			}
			break
		}
	}
}

func largeBatch(t *testing.T, s Subject) {
	t.Helper()
	const count = 5000 // more than any page
	log, stream := s.Open(t, Codec()), newStream()
	events, want := make([]domain.Event, count), make([]int, count)
	for i := range events {
		events[i], want[i] = note(i), i
	}
	receipt := mustAppend(t, log, stream, commands.NoStream, propose(events...))
	if receipt.Revision != count-1 {
		t.Errorf("receipt %+v", receipt)
	}
	wantNumbers(t, log, stream, want...)
}

func unknownRead(t *testing.T, s Subject) {
	t.Helper()
	stream := newStream()
	mustAppend(t, s.Open(t, Codec()), stream, commands.NoStream, propose(note(1), Counted{At: at, N: 2}))
	got := mustRead(t, s.Open(t, narrow()), stream, 0)
	if len(got) != 2 {
		t.Fatalf("got %d events, want 2", len(got))
	}
	if got[0].Event != nil || got[0].Type != "logtest.noted.v1" || got[1].Event != domain.Event(Counted{At: at, N: 2}) {
		t.Errorf("got %+v", got)
	}
}

func outage(t *testing.T, s Subject) {
	t.Helper()
	if s.Outage == nil {
		t.Skip("this store cannot be taken away")
	}
	log, stream := s.Open(t, Codec()), newStream()
	start := headOf(t, log)
	mustAppend(t, log, stream, commands.NoStream, propose(note(1)))
	tail := newTail(t, log, start, nil, stream)
	tail.wait(1)

	restore := s.Outage(t)
	started := time.Now() //nolint:forbidigo // the suite measures how long a call takes
	retried := propose(note(2))
	if _, err := log.Append(bounded(t), stream, 0, retried); !errors.Is(err, commands.ErrUnavailable) {
		t.Errorf("append: %v, want unavailable", err)
	}
	var err error
	for _, err = range log.Read(bounded(t), stream, 0) {
		break
	}
	if !errors.Is(err, commands.ErrUnavailable) {
		t.Errorf("read: %v, want unavailable", err)
	}
	if took := time.Since(started); took > 30*time.Second { //nolint:forbidigo // see above
		t.Errorf("two calls took %v to fail", took)
	}
	restore()

	mustAppend(t, log, stream, 0, retried)
	mustAppend(t, log, stream, 1, propose(note(3)))
	wantNumbers(t, log, stream, 1, 2, 3)
	tail.wait(3)
}
