package feed_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"aftercare/domain"
	"aftercare/projections/feed"
	"aftercare/projections/feed/feedtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func event(eventType string, n int) esdb.EventData {
	return esdb.EventData{
		EventID: uuid.New(), EventType: eventType, ContentType: esdb.ContentTypeJson,
		Data: fmt.Appendf(nil, "%d", n), Metadata: []byte(`{"n":1}`),
	}
}

// publish appends events numbered from one number up to another and returns the position of the last.
func publish(s *feedtest.Store, eventType string, from, to int) domain.Position {
	events := make([]esdb.EventData, 0, to-from)
	for n := from; n < to; n++ {
		events = append(events, event(eventType, n))
	}
	return s.Append("stream-1", events...)
}

func subscribe(t *testing.T, s *feedtest.Store, topic string, o feed.Options) <-chan *message.Message {
	t.Helper()
	sub := feed.NewSubscriber(s.Log(), o)
	t.Cleanup(func() { _ = sub.Close() })
	messages, err := sub.Subscribe(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

func next(t *testing.T, messages <-chan *message.Message) *message.Message {
	t.Helper()
	select {
	case m, ok := <-messages:
		if !ok {
			t.Fatal("the subscription ended")
		}
		return m
	case <-time.After(20 * time.Second):
		t.Fatal("no message")
	}
	return nil
}

// take receives messages and acks them. It returns their payloads.
func take(t *testing.T, messages <-chan *message.Message, n int) []string {
	t.Helper()
	got := make([]string, 0, n)
	for range n {
		m := next(t, messages)
		got = append(got, string(m.Payload))
		m.Ack()
	}
	return got
}

func numbers(from, to int) []string {
	s := make([]string, 0, to-from)
	for n := from; n < to; n++ {
		s = append(s, strconv.Itoa(n))
	}
	return s
}

func TestAMessageHoldsTheWholeEvent(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	data := event("case.opened.v1", 7)
	at := store.Append("case-1", event("case.opened.v1", 6), data)
	messages := subscribe(t, store, "case", feed.Options{})
	next(t, messages).Ack()
	got, err := feed.Event(next(t, messages))
	if err != nil {
		t.Fatal(err)
	}
	want, err := store.Log().At(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("message, -event +message:\n%s", diff)
	}
	if got.ID != domain.UUID(data.EventID) || got.Stream != "case-1" || got.Revision != 1 || string(got.Data) != "7" ||
		string(got.Metadata) != `{"n":1}` || got.RecordedAt.IsZero() || got.Position != at {
		t.Errorf("got %+v, want what was appended at %v", got, at)
	}
}

func TestASubscriptionStartsAfterItsPosition(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	at := publish(store, "case.opened.v1", 0, 5)
	publish(store, "case.opened.v1", 5, 8)
	messages := subscribe(t, store, feed.All, feed.Options{After: at})
	if diff := cmp.Diff(numbers(5, 8), take(t, messages, 3)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestATopicIsACategoryOrSeveral(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	publish(store, "case.opened.v1", 0, 1)
	publish(store, "cases.opened.v1", 1, 2)
	publish(store, "clock.started.v1", 2, 3)
	publish(store, "case.closed.v1", 3, 4)
	if diff := cmp.Diff([]string{"0", "3"}, take(t, subscribe(t, store, "case", feed.Options{}), 2)); diff != "" {
		t.Errorf("one category, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"0", "2", "3"}, take(t, subscribe(t, store, "case,clock", feed.Options{}), 3)); diff != "" {
		t.Errorf("two categories, -want +got:\n%s", diff)
	}
}

func TestANackTakesBackAllThatIsInFlight(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	publish(store, "case.opened.v1", 0, 20)
	messages := subscribe(t, store, feed.All, feed.Options{Ahead: 5})
	flying := make([]*message.Message, 0, 5)
	for range 5 {
		flying = append(flying, next(t, messages))
	}
	select {
	case m := <-messages:
		t.Fatalf("got message %s beyond those that may be in flight", m.Payload)
	case <-time.After(50 * time.Millisecond):
	}
	flying[0].Ack()
	flying[1].Ack()
	flying[2].Nack()
	<-flying[4].Context().Done()
	if diff := cmp.Diff(numbers(2, 20), take(t, messages, 18)); diff != "" {
		t.Errorf("after the nack, -want +got:\n%s", diff)
	}
}

func TestProgressTellsWhatWasPassedOver(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	publish(store, "case.opened.v1", 0, 1)
	last := publish(store, "other.happened.v1", 0, 1000)
	messages := subscribe(t, store, "case", feed.Options{Progress: true})
	if m := next(t, messages); feed.ProgressOf(m) != 0 {
		t.Fatalf("got progress %v first, want the event", feed.ProgressOf(m))
	} else {
		m.Ack()
	}
	var at domain.Position
	for live := false; !live; {
		m := next(t, messages)
		p, err := feed.PositionOf(m)
		if err != nil {
			t.Fatal(err)
		}
		if p.Compare(at) < 0 {
			t.Errorf("progress went back from %v to %v", at, p)
		}
		at, live = p, feed.ProgressOf(m) == feed.Live
		m.Ack()
	}
	if at != last {
		t.Errorf("got live at %v, want the head %v", at, last)
	}
}

func TestASubscriptionSurvivesRestartsOfTheStore(t *testing.T) {
	t.Parallel()
	store := feedtest.Durable(t)
	messages := subscribe(t, store, feed.All, feed.Options{Ahead: 10})
	for round := range 3 {
		publish(store, "case.opened.v1", round*100, round*100+100)
		if diff := cmp.Diff(numbers(round*100, round*100+50), take(t, messages, 50)); diff != "" {
			t.Errorf("before restart %d, -want +got:\n%s", round, diff)
		}
		store.Stop()
		store.Start()
		if diff := cmp.Diff(numbers(round*100+50, round*100+100), take(t, messages, 50)); diff != "" {
			t.Errorf("after restart %d, -want +got:\n%s", round, diff)
		}
	}
}

func TestClosingDoesNotNeedTheStore(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	store.Stop()
	failed := make(chan error, 1)
	sub := feed.NewSubscriber(store.Log(), feed.Options{Observe: func(err error) {
		select {
		case failed <- err:
		default:
		}
	}})
	messages, err := sub.Subscribe(t.Context(), feed.All)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err == nil {
		t.Error("a store that is away: got no failure")
	}
	if err := sub.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ok := <-messages; ok {
		t.Error("got a message of a closed subscriber")
	}
	if _, err := sub.Subscribe(t.Context(), feed.All); !errors.Is(err, feed.ErrClosed) {
		t.Errorf("got %v, want %v", err, feed.ErrClosed)
	}
}

func TestTheHeadIsTheNewestEventOfOurs(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	head, err := store.Log().Head(t.Context())
	if err != nil || head != (feed.Head{}) {
		t.Errorf("an empty log: got %v and %v, want none", head, err)
	}
	last := publish(store, "case.opened.v1", 0, 3)
	for range 40 {
		store.Append("$$stream-1", event("$metadata", 0))
	}
	head, err = store.Log().Head(t.Context())
	if err != nil || head.Position != last || head.RecordedAt.IsZero() {
		t.Errorf("got %v and %v, want %v", head, err, last)
	}
}

func TestReadsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	last := publish(store, "case.opened.v1", 0, 100)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for _, err := range store.Log().Read(ctx, domain.Position{}) {
		if n++; n == 10 {
			cancel()
		}
		if n > 10 && !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	}
	if n != 11 {
		t.Errorf("got %d steps, want 10 events and an error", n)
	}
	if _, err := store.Log().At(t.Context(), domain.Position{Commit: last.Commit + 1<<30, Prepare: last.Prepare + 1<<30}); !errors.Is(err, feed.ErrMissing) {
		t.Errorf("an event beyond the log: got %v, want %v", err, feed.ErrMissing)
	}
}
