package reaction_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"aftercare/commands"
	"aftercare/commands/reaction"
	"aftercare/domain"
	"aftercare/domain/ticket"
)

// taken notes which events were taken, and fails those of some streams as often as is said.
type taken struct {
	mu     sync.Mutex
	events []string
	fail   map[string]int
}

func (k *taken) take(_ context.Context, r *domain.Recorded) error {
	if r == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail[r.Stream] > 0 {
		k.fail[r.Stream]--
		if r.Stream == "panics" {
			panic("it cannot")
		}
		return errors.New("it cannot")
	}
	k.events = append(k.events, r.Stream)
	return nil
}

func TestWhatKeepsFailingIsSetAsideAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		follower := &slowFollower{batches: make(chan update)}
		k := &taken{fail: map[string]int{"twice": 2, "never": 1000, "panics": 1000}}
		registry := prometheus.NewRegistry()
		var log bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- reaction.TakeIn(ctx, "test", follower, k.take, registry, nil, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError})))
		}()
		var batch []domain.Recorded
		for _, stream := range []string{"first", "twice", "never", "panics", "last"} {
			batch = append(batch, domain.Recorded{Stream: stream, Type: "noted", Revision: 7})
		}
		follower.batches <- update{batch, true}
		pass(time.Minute)
		if diff := cmp.Diff([]string{"first", "twice", "last"}, k.events); diff != "" {
			t.Errorf("taken (-want +got):\n%s", diff)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
		for _, stream := range []string{"never", "panics"} {
			if !strings.Contains(log.String(), "goes on without an event\" reaction=test stream="+stream+" revision=7") {
				t.Errorf("the log does not tell of %s:\n%s", stream, log.String())
			}
		}
		figures := map[string]float64{}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				figures[f.GetName()] += m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
		want := map[string]float64{"aftercare_reaction_poisoned_total": 2, "aftercare_reaction_handler_execution_time_seconds": 5}
		if diff := cmp.Diff(want, figures); diff != "" {
			t.Errorf("figures (-want +got):\n%s", diff)
		}
	})
}

func TestALogThatCannotBeFollowedEndsAReaction(t *testing.T) {
	t.Parallel()
	broken := errors.New("it was replaced")
	k := &taken{}
	err := reaction.TakeIn(t.Context(), "test", gone{broken}, k.take, nil, nil, slog.New(slog.DiscardHandler))
	if !errors.Is(err, broken) {
		t.Errorf("it ended with %v", err)
	}
}

// gone is a log that cannot be followed.
type gone struct{ err error }

func (g gone) Follow(context.Context, domain.Position, []string, func([]domain.Recorded, bool) error) error {
	return g.err
}

func TestABreachIsInTheTraceOfTheCommandThatStartedTheClock(t *testing.T) {
	t.Parallel()
	const cause = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"
	for _, tracing := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := newScene()
			spans := tracetest.NewInMemoryExporter()
			follower := &slowFollower{batches: make(chan update)}
			sent := &traces{}
			timer := s.timer()
			timer.Follower, timer.Tickets = follower, sent
			if tracing {
				timer.Tracing = sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
			}
			defer run(t, timer)()
			started := func(stream, traceparent string) domain.Recorded {
				return domain.Recorded{Stream: stream, Event: s.started(1, time.Hour), Metadata: domain.Metadata{Traceparent: traceparent}}
			}
			follower.batches <- update{[]domain.Recorded{started("ticket-1", "00-"+cause+"-01")}, true}
			follower.batches <- update{[]domain.Recorded{started("ticket-2", "00-"+cause+"-01"), started("ticket-3", "00-"+cause+"-00")}, true}
			pass(2 * time.Hour)
			wanted := map[string]string{"1": cause[:32], "2": cause[:32], "3": strings.Repeat("0", 32)}
			if diff := cmp.Diff(wanted, sent.of); diff != "" {
				t.Errorf("the traces of the commands (-want +got):\n%s", diff)
			}
			want := map[string]int{}
			if tracing {
				want = map[string]int{"react timer": 1, "lapse": 2} // the first was there before the timer was live
			}
			got := map[string]int{}
			for _, span := range spans.GetSpans() {
				got[span.Name]++
				if parent := span.Parent; parent.TraceID().String()+"-"+parent.SpanID().String() != cause {
					t.Errorf("%s is in %s", span.Name, parent.TraceID())
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("spans (-want +got):\n%s", diff)
			}
		})
	}
}

// traces notes in which trace the command for each ticket is.
type traces struct {
	mu sync.Mutex
	of map[string]string
}

func (s *traces) Handle(ctx context.Context, id string, _ ticket.Command, _ domain.Metadata) (commands.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = make(map[string]string)
	}
	s.of[id] = trace.SpanContextFromContext(ctx).TraceID().String()
	return commands.Receipt{}, nil
}
