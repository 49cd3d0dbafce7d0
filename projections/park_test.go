package projections_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/projections"
)

// telling is a view whose database repeats, in its refusal, what it was given.
type telling struct{ projections.View }

func (telling) Apply(ctx context.Context, tx pgx.Tx, _ []domain.Recorded) error {
	_, err := tx.Exec(ctx, `select $1::text::integer`, `words "of" a person`)
	return err
}

// lockedBuffer is a buffer that a logger may write to while a test reads.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func TestNoWordsOfAPersonStayInParkedEventsAndLogs(t *testing.T) {
	t.Parallel()
	b := newBench(t, telling{sums(nil)})
	var log lockedBuffer
	r := b.runner()
	r.Logger = slog.New(slog.NewTextHandler(&log, nil))
	stop := b.start(r)
	b.wait(b.add("sum-1", 1), "sums")
	if _, err := r.Replay(t.Context(), "sums"); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	parked := query[struct{ Error string }](b, `select error from aftercare.parked_event`)
	if len(parked) != 1 || !strings.Contains(parked[0].Error, "22P02") {
		t.Fatalf("got %+v, want one parked event with the code of its error", parked)
	}
	if !strings.Contains(log.String(), "22P02") {
		t.Errorf("the log does not tell the code: %s", log.String())
	}
	for _, text := range []string{parked[0].Error, log.String()} {
		if strings.Contains(text, "person") || strings.Contains(text, "words") {
			t.Errorf("the words are still there: %s", text)
		}
	}
}
