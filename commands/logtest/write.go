package logtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aftercare/commands"
	"aftercare/domain"
	"aftercare/domain/seal"
)

func roundTrip(t *testing.T, s Subject) {
	t.Helper()
	log, stream := s.Open(t, Codec()), newStream()
	sent := propose(Noted{At: at, N: 1, Text: "a <b> & c"}, Noted{At: at.AddDate(0, 0, 1), N: 2, Secret: seal.New("p1", "Dana Fox")})
	sent[0].Metadata.Principal = domain.Principal{ID: "agent-7", Roles: []string{"agent", "lead"}}
	receipt := mustAppend(t, log, stream, commands.NoStream, sent)

	got := mustRead(t, log, stream, 0)
	want := []domain.Recorded{
		{ID: sent[0].ID, Stream: stream, Revision: 0, Type: "logtest.noted.v1", Event: sent[0].Event, Metadata: sent[0].Metadata},
		{ID: sent[1].ID, Stream: stream, Revision: 1, Type: "logtest.noted.v1", Metadata: sent[1].Metadata},
	}
	want[1].Metadata.OccurredAt = at.AddDate(0, 0, 1)
	if len(got) != 2 {
		t.Fatalf("got %d events, want 2", len(got))
	}
	secret := got[1].Event.(Noted).Secret
	if _, open := secret.Plain(); open || secret.Subject() != "p1" {
		t.Errorf("the secret came back in clear or for another person: %v", secret)
	}
	opened, err := seal.Open(bounded(t), Sealer{}, secret, seal.Binding{Stream: stream, EventID: sent[1].ID, Path: "secret"})
	if plain, _ := opened.Plain(); err != nil || plain != "Dana Fox" {
		t.Errorf("the secret opens to %q, %v", plain, err)
	}
	got[1].Event = nil
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(domain.Recorded{}, "Position", "RecordedAt"), cmp.Comparer(seal.Text.Equal)); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	if got[0].RecordedAt.IsZero() || got[0].Position.Compare(got[1].Position) >= 0 {
		t.Errorf("recorded at %v, positions %v and %v", got[0].RecordedAt, got[0].Position, got[1].Position)
	}
	if want := (commands.Receipt{Revision: 1, Position: got[1].Position}); receipt != want {
		t.Errorf("receipt %+v, want %+v", receipt, want)
	}
}

func conflict(t *testing.T, s Subject) {
	t.Helper()
	log, stream := s.Open(t, Codec()), newStream()
	wantConflict := func(expected commands.Expected) {
		t.Helper()
		if _, err := log.Append(bounded(t), stream, expected, propose(note(9))); !errors.Is(err, commands.ErrConflict) {
			t.Errorf("append at %d: %v, want a conflict", expected, err)
		}
	}
	wantConflict(0)
	mustAppend(t, log, stream, commands.NoStream, propose(note(1), note(2)))
	wantConflict(commands.NoStream)
	wantConflict(0)
	wantConflict(2)
	mustAppend(t, log, stream, 1, propose(note(3)))
	wantNumbers(t, log, stream, 1, 2, 3)
}

func repeatedAppend(t *testing.T, s Subject) {
	t.Helper()
	log, stream := s.Open(t, Codec()), newStream()
	first, second := propose(note(1), note(2)), propose(note(3))
	wantFirst := mustAppend(t, log, stream, commands.NoStream, first)
	wantSecond := mustAppend(t, log, stream, 1, second)
	mustAppend(t, log, stream, 2, propose(note(4)))
	if got := mustAppend(t, log, stream, commands.NoStream, first); got != wantFirst {
		t.Errorf("the first append again: %+v, want %+v", got, wantFirst)
	}
	if got := mustAppend(t, log, stream, 1, second); got != wantSecond {
		t.Errorf("the second append again: %+v, want %+v", got, wantSecond)
	}
	wantNumbers(t, log, stream, 1, 2, 3, 4)
}

func corruptRepeat(t *testing.T, s Subject) {
	t.Helper()
	log, stream := s.Open(t, Codec()), newStream()
	first := propose(note(1), note(2))
	mustAppend(t, log, stream, commands.NoStream, first)
	for name, events := range map[string][]commands.Proposed{
		"other second event": {first[0], propose(note(7))[0]},
		"one event more":     append(slices.Clone(first), propose(note(8))...),
	} {
		if _, err := log.Append(bounded(t), stream, commands.NoStream, events); !errors.Is(err, commands.ErrConflict) {
			t.Errorf("%s: %v, want a conflict", name, err)
		}
	}
	wantNumbers(t, log, stream, 1, 2)
}

func race(t *testing.T, s Subject) {
	t.Helper()
	const writers, revisions = 8, 20
	log, stream := s.Open(t, Codec()), newStream()
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		wins [revisions]int
	)
	for range writers {
		wg.Go(func() {
			for i := range revisions {
				_, err := log.Append(bounded(t), stream, commands.Expected(i-1), propose(note(i)))
				switch {
				case err == nil:
					mu.Lock()
					wins[i]++
					mu.Unlock()
				case !errors.Is(err, commands.ErrConflict):
					t.Errorf("append at %d: %v", i-1, err)
				}
			}
		})
	}
	wg.Wait()
	want := make([]int, revisions)
	for i := range want {
		want[i] = i
		if wins[i] != 1 {
			t.Errorf("revision %d was won %d times", i, wins[i])
		}
	}
	wantNumbers(t, log, stream, want...)
}

func oversize(t *testing.T, s Subject) {
	t.Helper()
	log, stream := s.Open(t, Codec()), newStream()
	half := strings.Repeat("x", s.Limit/2)
	_, err := log.Append(bounded(t), stream, commands.NoStream, propose(Noted{At: at, Text: half}, Noted{At: at, Text: half}))
	var large *commands.TooLargeError
	if !errors.Is(err, commands.ErrTooLarge) || !errors.As(err, &large) || large.Limit != s.Limit || large.Size <= s.Limit {
		t.Errorf("append: %v, want the sizes refused", err)
	}
	wantNumbers(t, log, stream)
	mustAppend(t, log, stream, commands.NoStream, propose(Noted{At: at, N: 1, Text: half}))
	wantNumbers(t, log, stream, 1)
}

func unknownWrite(t *testing.T, s Subject) {
	t.Helper()
	log, stream := s.Open(t, narrow()), newStream()
	if _, err := log.Append(bounded(t), stream, commands.NoStream, propose(Counted{At: at}, note(1))); err == nil {
		t.Error("an event outside the catalog was written")
	}
	wantNumbers(t, log, stream)
}

func unicodeNames(t *testing.T, s Subject) {
	t.Helper()
	const text = "投诉 😀 \u2028 \"quoted\"\n\x01"
	log, stream := s.Open(t, Codec()), newStream()+"-客户 é/?#%"
	mustAppend(t, log, stream, commands.NoStream, propose(Noted{At: at, Text: text}))
	got := mustRead(t, log, stream, 0)
	if len(got) != 1 || got[0].Stream != stream {
		t.Fatalf("got %+v", got)
	}
	if diff := cmp.Diff(domain.Event(Noted{At: at, Text: text}), got[0].Event, cmp.Comparer(seal.Text.Equal)); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func cancelled(t *testing.T, s Subject) {
	t.Helper()
	log, stream := s.Open(t, Codec()), newStream()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := log.Append(ctx, stream, commands.NoStream, propose(note(1))); !errors.Is(err, context.Canceled) {
		t.Errorf("append: %v, want a cancelled context", err)
	}
	var err error
	for _, err = range log.Read(ctx, stream, 0) {
		break
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v, want a cancelled context", err)
	}
}

func emptyAppend(t *testing.T, s Subject) {
	t.Helper()
	log, stream := s.Open(t, Codec()), newStream()
	if _, err := log.Append(bounded(t), stream, commands.NoStream, nil); err == nil {
		t.Error("an append of nothing succeeded")
	}
}

func forgotten(t *testing.T, s Subject) {
	t.Helper()
	log, stream := s.Open(t, Codec()), newStream()
	_, err := log.Append(bounded(t), stream, commands.NoStream, propose(Noted{At: at, Secret: seal.New("forgotten", "x")}))
	if !errors.Is(err, seal.ErrForgotten) {
		t.Errorf("append: %v, want the missing key", err)
	}
	wantNumbers(t, log, stream)
}
