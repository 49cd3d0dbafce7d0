package persistent_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/deploy/eventnode/persistent"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func settings(change func(*persistent.Settings)) persistent.Settings {
	s := persistent.Settings{
		MessageTimeout: 30 * time.Second, MaxRetryCount: 2, HistoryBufferSize: 100, ReadBatchSize: 20,
		CheckpointAfter: 2 * time.Second, MinCheckpointCount: 2, MaxCheckpointCount: 5, Strategy: persistent.RoundRobin,
	}
	if change != nil {
		change(&s)
	}
	return s
}

// batch returns events from a position on, each pinned as given.
func batch(from int64, pins ...uint32) persistent.Batch {
	b := persistent.Batch{Through: from - 1}
	for i, pin := range pins {
		position := from + int64(i)
		b.Events = append(b.Events, persistent.Event{ID: persistent.ID{byte(position&0x7f + 1)}, Position: position, Pin: pin})
		b.Through, b.Considered = position, b.Considered+1
	}
	return b
}

func id(position int64) persistent.ID { return persistent.ID{byte(position&0x7f + 1)} }

// positions are the positions delivered, by consumer.
func positions(e persistent.Effects) map[persistent.ConsumerID][]int64 {
	out := map[persistent.ConsumerID][]int64{}
	for _, d := range e.Deliver {
		out[d.Consumer] = append(out[d.Consumer], d.Event.Position)
	}
	return out
}

func TestEventsOfAConsumerThatLeftComeInOrderAndAheadOfNewOnes(t *testing.T) {
	t.Parallel()
	g := persistent.New(settings(nil), persistent.None)
	g.Join(noon, 1, 2)
	g.Join(noon, 2, 2)
	got := positions(g.Read(noon, batch(0, 0, 0, 0, 0, 0, 0)))
	if diff := cmp.Diff(map[persistent.ConsumerID][]int64{1: {0, 2}, 2: {1, 3}}, got); diff != "" {
		t.Fatalf("in turn (-want +got):\n%s", diff)
	}
	if got := positions(g.Leave(noon, 1)); len(got) > 0 {
		t.Errorf("delivered to a full consumer: %v", got)
	}
	e := g.Join(noon, 3, 10)
	if diff := cmp.Diff(map[persistent.ConsumerID][]int64{3: {0, 2, 4, 5}}, positions(e)); diff != "" {
		t.Errorf("to the next consumer (-want +got):\n%s", diff)
	}
	if r := []int{e.Deliver[0].Retries, e.Deliver[2].Retries}; r[0] != 1 || r[1] != 0 {
		t.Errorf("retries: got %v, want 1 for what went back and 0 for what is new", r)
	}
}

func TestASingleConsumerTakesAllUntilItIsFull(t *testing.T) {
	t.Parallel()
	g := persistent.New(settings(func(s *persistent.Settings) { s.Strategy = persistent.DispatchToSingle }), persistent.None)
	g.Join(noon, 1, 3)
	g.Join(noon, 2, 3)
	got := positions(g.Read(noon, batch(0, 0, 0, 0, 0)))
	if diff := cmp.Diff(map[persistent.ConsumerID][]int64{1: {0, 1, 2}, 2: {3}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAFullConsumerDoesNotHoldUpStreamsPinnedToOthers(t *testing.T) {
	t.Parallel()
	g := persistent.New(settings(func(s *persistent.Settings) { s.Strategy = persistent.Pinned }), persistent.None)
	g.Join(noon, 1, 1)
	g.Join(noon, 2, 5)
	got := positions(g.Read(noon, batch(0, 7, 7, 8, 7, 8)))
	if diff := cmp.Diff(map[persistent.ConsumerID][]int64{1: {0}, 2: {2, 4}}, got); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[persistent.ConsumerID][]int64{1: {1}}, positions(g.Ack(noon, id(0)))); diff != "" {
		t.Errorf("its stream stays with it (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[persistent.ConsumerID][]int64{2: {1, 3}}, positions(g.Leave(noon, 1))); diff != "" {
		t.Errorf("and goes to another when it leaves (-want +got):\n%s", diff)
	}
}

func TestAConsumerThatJoinsTakesItsShareOfPinnedStreams(t *testing.T) {
	t.Parallel()
	g := persistent.New(settings(func(s *persistent.Settings) { s.Strategy = persistent.Pinned }), persistent.None)
	g.Join(noon, 1, 20)
	g.Read(noon, batch(0, 1, 2, 3, 4))
	g.Ack(noon, id(0), id(2)) // 1 and 3 have nothing in flight
	g.Join(noon, 2, 20)
	got := positions(g.Read(noon, batch(4, 1, 2, 3, 4)))
	if diff := cmp.Diff(map[persistent.ConsumerID][]int64{1: {5, 7}, 2: {4, 6}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEventsOfTheSameIDAreDeliveredOneAfterTheOther(t *testing.T) {
	t.Parallel()
	g := persistent.New(settings(nil), persistent.None)
	g.Join(noon, 1, 5)
	b := batch(0, 0, 0, 0)
	b.Events[1].ID = b.Events[0].ID
	if diff := cmp.Diff(map[persistent.ConsumerID][]int64{1: {0}}, positions(g.Read(noon, b))); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[persistent.ConsumerID][]int64{1: {1, 2}}, positions(g.Ack(noon, id(0)))); diff != "" {
		t.Errorf("once the first is answered (-want +got):\n%s", diff)
	}
}

func TestCheckpointsAreWrittenAtTheCountsAndTimesAskedFor(t *testing.T) {
	t.Parallel()
	g := persistent.New(settings(nil), persistent.None)
	g.Join(noon, 1, 50)
	g.Read(noon, batch(0, make([]uint32, 12)...))
	if e := g.Ack(noon, id(0)); e.Checkpoint != nil {
		t.Fatalf("after one event: %d", *e.Checkpoint)
	}
	if e := g.Tick(noon); e.Checkpoint != nil {
		t.Fatalf("tick below the least count: %d", *e.Checkpoint)
	}
	g.Ack(noon, id(1))
	e := g.Tick(noon)
	if e.Checkpoint == nil || *e.Checkpoint != 1 {
		t.Fatalf("tick at the least count: got %v, want 1", e.Checkpoint)
	}
	if e := g.Ack(noon, id(2), id(3), id(4), id(5), id(6)); e.Checkpoint != nil {
		t.Fatalf("a second one while the first is written: %d", *e.Checkpoint)
	}
	e = g.CheckpointSaved(noon, 1)
	if e.Checkpoint == nil || *e.Checkpoint != 6 {
		t.Fatalf("at the greatest count: got %v, want 6", e.Checkpoint)
	}
	g.CheckpointFailed()
	if e := g.Tick(noon.Add(time.Second)); e.Checkpoint == nil || *e.Checkpoint != 6 {
		t.Fatalf("after a failure: got %v, want 6 again", e.Checkpoint)
	}
	g.CheckpointSaved(noon.Add(time.Second), 6)
	g.Ack(noon, id(7), id(8))
	if e := g.Tick(noon.Add(2 * time.Second)); e.Checkpoint != nil {
		t.Fatalf("too early: %d", *e.Checkpoint)
	}
	if e := g.Tick(noon.Add(3 * time.Second)); e.Checkpoint == nil || *e.Checkpoint != 8 {
		t.Fatalf("when time is up: got %v, want 8", e.Checkpoint)
	}
}

func TestWhatAFilterLeavesOutCountsForCheckpoints(t *testing.T) {
	t.Parallel()
	g := persistent.New(settings(nil), persistent.None)
	g.Join(noon, 1, 5)
	e := g.Read(noon, persistent.Batch{Through: 999, Considered: 1000})
	if e.Checkpoint == nil || *e.Checkpoint != 999 {
		t.Errorf("got %v, want 999", e.Checkpoint)
	}
}

func TestMeasurementsAreTakenWhenAskedFor(t *testing.T) {
	t.Parallel()
	g := persistent.New(settings(func(s *persistent.Settings) { s.ExtraStatistics = true }), persistent.None)
	g.Join(noon, 1, 5)
	g.Read(noon, batch(0, 0, 0))
	g.Ack(noon.Add(10*time.Millisecond), id(0))
	g.Ack(noon.Add(30*time.Millisecond), id(1))
	got := map[string]int64{}
	for _, m := range g.Stats().Members[0].Measurements {
		got[m.Name] = m.Value
	}
	want := map[string]int64{
		"Mean": 20, "Median": 30, "Fastest": 10, "Quintile 1": 10, "Quintile 2": 10, "Quintile 3": 10,
		"Quintile 4": 30, "Quintile 5": 30, "90%": 30, "95%": 30, "99%": 30, "99.5%": 30, "99.9%": 30, "Highest": 30,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSettingsThatNoGroupCanHave(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*persistent.Settings){
		"a batch as large as the buffer": func(s *persistent.Settings) { s.ReadBatchSize = s.HistoryBufferSize },
		"no buffer":                      func(s *persistent.Settings) { s.HistoryBufferSize, s.ReadBatchSize = 0, 0 },
		"negative retries":               func(s *persistent.Settings) { s.MaxRetryCount = -1 },
		"no strategy":                    func(s *persistent.Settings) { s.Strategy = 0 },
	} {
		if err := settings(change).Validate(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := settings(nil).Validate(); err != nil {
		t.Errorf("good settings: %v", err)
	}
}
