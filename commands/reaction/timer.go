package reaction

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"aftercare/commands"
	"aftercare/domain"
	"aftercare/domain/ticket"
)

// Tickets carries out commands of tickets: the Handler of package ticket.
type Tickets interface {
	Handle(ctx context.Context, id string, command ticket.Command, meta domain.Metadata) (commands.Receipt, error)
}

// Timer records the breaches of clocks when they are due.
type Timer struct {
	Follower commands.Follower
	Tickets  Tickets
	Now      func() time.Time
	// Category is that of the streams whose clocks are watched. Defaults to "ticket".
	Category string
	// Concurrency bounds how many commands are under way. Defaults to 8.
	Concurrency int
	// Figures, when set, is where it tells how the intake of events goes.
	Figures prometheus.Registerer
	// Tracing, when set, makes spans of its commands, in the traces of the commands that started the clocks.
	Tracing trace.TracerProvider
	// Logger defaults to slog.Default().
	Logger *slog.Logger
}

const (
	// longestSleep bounds how late a step of the wall clock is noticed.
	longestSleep  = time.Minute
	shortestRetry = time.Second
	longestRetry  = 5 * time.Minute
)

// timerSpace is the namespace of the ids of the timer's commands.
var timerSpace = domain.DeriveUUID(domain.UUID{}, "aftercare.reaction.timer")

// Run watches until ctx ends, and returns its error, or until the log cannot be followed.
func (t Timer) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &watch{Timer: t, board: newBoard(), changed: make(chan struct{}, 1)}
	w.Category = cmp.Or(w.Category, "ticket")
	w.Concurrency = cmp.Or(w.Concurrency, 8)
	w.Logger = cmp.Or(w.Logger, slog.Default())
	ended := make(chan error, 1)
	go func() {
		err := intake{
			name: "timer", follower: t.Follower, prefix: "clock.", take: w.observe, figures: t.Figures, tracing: t.Tracing, logger: w.Logger,
		}.run(ctx)
		cancel()
		ended <- err
	}()
	w.loop(ctx)
	if err := <-ended; err != nil {
		return fmt.Errorf("watch clocks: %w", err)
	}
	return nil
}

// watch is a running Timer.
type watch struct {
	Timer
	changed chan struct{} // holds a value after the board changed

	mu    sync.Mutex
	board *board
	live  bool
}

func (w *watch) observe(_ context.Context, it item) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if it.event != nil && strings.HasPrefix(it.event.Stream, w.Category+"-") {
		w.board.apply(*it.event)
	}
	w.live = w.live || it.live
	if !w.live {
		return nil
	}
	select {
	case w.changed <- struct{}{}:
	default:
	}
	return nil
}

// loop sends what is due and sleeps until something is, or the board has changed.
func (w *watch) loop(ctx context.Context) {
	for ctx.Err() == nil {
		due, sleep := w.take()
		if len(due) > 0 {
			w.lapse(ctx, due)
			continue
		}
		timer := time.NewTimer(sleep)
		select {
		case <-ctx.Done():
		case <-w.changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// take returns clocks to look at now, or how long to sleep.
func (w *watch) take() ([]*running, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.live {
		return nil, longestSleep
	}
	now := w.Now()
	due, next := w.board.take(now, 16*w.Concurrency)
	if next.IsZero() {
		return due, longestSleep
	}
	return due, min(next.Sub(now), longestSleep)
}

// lapse sends one command for each clock and waits for all.
func (w *watch) lapse(ctx context.Context, due []*running) {
	slots := make(chan struct{}, w.Concurrency)
	var sent sync.WaitGroup
	for _, c := range due {
		slots <- struct{}{}
		sent.Go(func() {
			defer func() { <-slots }()
			next := w.send(ctx, c)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.board.done(c, next)
		})
	}
	sent.Wait()
}

// send asks the ticket to record its breaches and returns when to ask again, zero for never.
func (w *watch) send(ctx context.Context, c *running) time.Time {
	id := domain.DeriveUUID(timerSpace, c.stream+"/"+strconv.Itoa(c.number)+"/"+c.due.UTC().Format(time.RFC3339Nano))
	meta := domain.Metadata{
		CommandID: id, CorrelationID: id, CausationID: c.cause,
		Principal: domain.Principal{ID: "timer"}, Channel: "timer",
	}
	now := w.Now()
	ctx, span := w.span(ctx, c)
	defer span.End()
	_, err := w.Tickets.Handle(ctx, strings.TrimPrefix(c.stream, w.Category+"-"), ticket.Lapse{At: now}, meta)
	refusal, refused := errors.AsType[*domain.Error](err)
	switch {
	case err == nil, errors.Is(err, domain.Refuse(domain.Conflict, "command.key-reused")):
		// The latter: another timer was faster, by a clock that shows another time.
		return time.Time{}
	case ctx.Err() != nil:
		return now
	case refused && refusal.Kind != domain.Unavailable && refusal.Kind != domain.Conflict:
		w.Logger.ErrorContext(ctx, "a breach was refused and is not recorded", "stream", c.stream, "instance", c.number, "error", err)
		return time.Time{}
	}
	retry := min(shortestRetry<<min(c.failures, 16), longestRetry)
	c.failures++
	w.Logger.WarnContext(ctx, "a breach could not be recorded and will be tried again",
		"stream", c.stream, "instance", c.number, "retry_in", retry, "error", err)
	return now.Add(retry)
}
