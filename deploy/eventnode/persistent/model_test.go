package persistent_test

import (
	"encoding/binary"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aftercare/deploy/eventnode/persistent"
)

// fate is what became of an event, as the model sees it.
type fate uint8

const (
	unread   fate = iota
	waiting       // in the group
	inFlight      // with a consumer
	parking       // on its way to the parked stream
	parked        // there, durably
	finished      // acknowledged or skipped
)

// fact is what the model knows about one event of the source.
type fact struct {
	id      persistent.ID
	pin     uint32
	matches bool // the filter of the group lets it through
	fate    fate
	retries int
	owner   persistent.ConsumerID
	due     time.Time
}

// link is an event of the parked stream.
type link struct {
	to       int // index of the event
	id       persistent.ID
	replayed bool // delivered again since the last start
	fate     fate
	retries  int
	owner    persistent.ConsumerID
	due      time.Time
}

// machine drives a group with random inputs and holds every effect against a model.
type machine struct {
	settings persistent.Settings
	group    *persistent.Group
	now      time.Time

	facts   []fact
	links   []link
	slots   map[persistent.ConsumerID]int
	last    persistent.ConsumerID
	nextID  uint64
	numbers map[uint64]int // parkings under way: index of the event, or -1-index of the link
	saving  *int64
	cutting *int64
	cut     int64            // links in front of it are gone
	stored  int64            // checkpoint on disk
	newest  map[uint32]int64 // by pin, or for all under 0: the newest event delivered for the first time
}

func (m *machine) id() persistent.ID {
	m.nextID++
	var id persistent.ID
	binary.BigEndian.PutUint64(id[:], m.nextID)
	return id
}

func (m *machine) pinned() bool {
	return m.settings.Strategy == persistent.Pinned || m.settings.Strategy == persistent.PinnedByCorrelation
}

func (m *machine) held(c persistent.ConsumerID) int {
	n := 0
	for _, f := range m.facts {
		if f.fate == inFlight && f.owner == c {
			n++
		}
	}
	for _, l := range m.links {
		if l.fate == inFlight && l.owner == c {
			n++
		}
	}
	return n
}

// find returns what an id or a delivery is about.
func (m *machine) find(t *rapid.T, id persistent.ID) (f *fact, l *link) {
	for i := range m.facts {
		if m.facts[i].id == id {
			return &m.facts[i], nil
		}
	}
	for i := range m.links {
		if m.links[i].id == id {
			return nil, &m.links[i]
		}
	}
	t.Fatalf("unknown event %v", id)
	return nil, nil
}

// check applies effects to the model and fails when they are not allowed.
func (m *machine) check(t *rapid.T, e persistent.Effects) {
	for _, d := range e.Deliver {
		slots, ok := m.slots[d.Consumer]
		if !ok {
			t.Fatalf("delivered to consumer %d, which is not there", d.Consumer)
		}
		f, l := m.find(t, d.Event.ID)
		if d.Event.Replayed {
			if l == nil || l.fate != waiting || l.retries != d.Retries {
				t.Fatalf("replayed %+v with %d retries, the model has %+v", d.Event, d.Retries, l)
			}
			l.fate, l.owner, l.due = inFlight, d.Consumer, m.now.Add(m.settings.MessageTimeout)
		} else {
			if f == nil || f.fate != waiting || f.retries != d.Retries {
				t.Fatalf("delivered %+v with %d retries, the model has %+v", d.Event, d.Retries, f)
			}
			f.fate, f.owner, f.due = inFlight, d.Consumer, m.now.Add(m.settings.MessageTimeout)
			if d.Retries == 0 {
				key := uint32(0)
				if m.pinned() {
					key = 1 + f.pin
				}
				if newest, ok := m.newest[key]; ok && d.Event.Position <= newest {
					t.Fatalf("delivered %d after %d", d.Event.Position, newest)
				}
				m.newest[key] = d.Event.Position
			}
		}
		if n := m.held(d.Consumer); n > slots {
			t.Fatalf("consumer %d has %d events in hand, it asked for %d", d.Consumer, n, slots)
		}
	}
	for _, p := range e.Park {
		f, l := m.find(t, p.Event.ID)
		if f != nil && f.fate != parking || l != nil && l.fate != parking {
			t.Fatalf("parked %+v unasked", p)
		}
		m.numbers[p.Number] = m.index(p.Event)
	}
	if e.Checkpoint != nil {
		if m.saving != nil {
			t.Fatalf("two checkpoints at once: %d and %d", *m.saving, *e.Checkpoint)
		}
		m.saving = e.Checkpoint
		m.checkCheckpoint(t, *e.Checkpoint)
	}
	if e.Truncate != nil {
		if m.cutting != nil {
			t.Fatalf("two truncations at once: %d and %d", *m.cutting, *e.Truncate)
		}
		m.cutting = e.Truncate
		for i := m.cut; i < *e.Truncate; i++ {
			if m.links[i].fate != finished {
				t.Fatalf("parked event %d would be lost: it is %d", i, m.links[i].fate)
			}
		}
	}
	m.checkIdle(t)
}

func (m *machine) index(e persistent.Event) int {
	if e.Replayed {
		return -1 - int(e.Position)
	}
	return int(e.Position)
}

func (m *machine) checkCheckpoint(t *rapid.T, position int64) {
	if position <= m.stored {
		t.Fatalf("checkpoint %d behind %d", position, m.stored)
	}
	for i := range position + 1 {
		if f := m.facts[i]; f.matches && f.fate != finished && f.fate != parked {
			t.Fatalf("checkpoint %d passes event %d, which is %d", position, i, f.fate)
		}
	}
}

// checkIdle fails when somebody could take an event that waits.
func (m *machine) checkIdle(t *rapid.T) {
	if m.pinned() {
		return
	}
	free := false
	for c, slots := range m.slots {
		free = free || m.held(c) < slots
	}
	if s := m.group.Stats(); free && s.Fresh+s.Retries > 0 {
		t.Fatalf("%d events wait while consumers have room", s.Fresh+s.Retries)
	}
}

func (m *machine) anyConsumer(t *rapid.T) persistent.ConsumerID {
	if len(m.slots) == 0 {
		t.Skip("no consumers")
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(m.slots))).Draw(t, "consumer")
}

// anyHeld returns the id of an event that is with a consumer.
func (m *machine) anyHeld(t *rapid.T) persistent.ID {
	var ids []persistent.ID
	for _, f := range m.facts {
		if f.fate == inFlight {
			ids = append(ids, f.id)
		}
	}
	for _, l := range m.links {
		if l.fate == inFlight {
			ids = append(ids, l.id)
		}
	}
	if len(ids) == 0 {
		t.Skip("nothing in flight")
	}
	return rapid.SampledFrom(ids).Draw(t, "id")
}

// settle moves an event that was in flight to what comes next.
func (m *machine) settle(f *fact, l *link, next fate, retried bool) {
	if f != nil {
		f.fate = next
		if retried {
			f.retries++
		}
		return
	}
	l.fate = next
	if retried {
		l.retries++
	}
}

// refuse is what a retry or a timeout does.
func (m *machine) refuse(f *fact, l *link) {
	var retries int
	if f != nil {
		retries = f.retries
	} else {
		retries = l.retries
	}
	if retries >= m.settings.MaxRetryCount {
		m.settle(f, l, parking, false)
		return
	}
	m.settle(f, l, waiting, true)
}

// Write appends events to the source.
func (m *machine) Write(t *rapid.T) {
	for range rapid.IntRange(1, 8).Draw(t, "events") {
		m.facts = append(m.facts, fact{
			id: m.id(), pin: rapid.Uint32Range(0, 4).Draw(t, "pin"),
			matches: rapid.IntRange(0, 3).Draw(t, "filter") > 0,
		})
	}
}

// Join adds a consumer.
func (m *machine) Join(t *rapid.T) {
	if m.group.Full() {
		t.Skip("full")
	}
	m.last++
	m.slots[m.last] = rapid.IntRange(1, 4).Draw(t, "slots")
	m.check(t, m.group.Join(m.now, m.last, m.slots[m.last]))
}

// Leave removes a consumer.
func (m *machine) Leave(t *rapid.T) {
	c := m.anyConsumer(t)
	delete(m.slots, c)
	for i := range m.facts {
		if f := &m.facts[i]; f.fate == inFlight && f.owner == c {
			m.settle(f, nil, waiting, true)
		}
	}
	for i := range m.links {
		if l := &m.links[i]; l.fate == inFlight && l.owner == c {
			m.settle(nil, l, waiting, true)
		}
	}
	m.check(t, m.group.Leave(m.now, c))
}

// Read lets the group read, as much as it wants or less.
func (m *machine) Read(t *rapid.T) {
	n := m.group.Wants()
	next := m.group.Through() + 1
	if n == 0 || next >= int64(len(m.facts)) {
		t.Skip("nothing to read")
	}
	b := persistent.Batch{Through: next - 1}
	scan := rapid.IntRange(1, 10).Draw(t, "scan")
	for ; b.Through+1 < int64(len(m.facts)) && len(b.Events) < n && b.Considered < scan; b.Considered++ {
		b.Through++
		f := &m.facts[b.Through]
		if f.matches {
			f.fate = waiting
			b.Events = append(b.Events, persistent.Event{ID: f.id, Position: b.Through, Pin: f.pin})
		}
	}
	m.check(t, m.group.Read(m.now, b))
}

// Ack acknowledges.
func (m *machine) Ack(t *rapid.T) {
	id := m.anyHeld(t)
	f, l := m.find(t, id)
	m.settle(f, l, finished, false)
	m.check(t, m.group.Ack(m.now, id))
}

// Nack refuses.
func (m *machine) Nack(t *rapid.T) {
	id := m.anyHeld(t)
	action := rapid.SampledFrom([]persistent.Action{
		persistent.ActionRetry, persistent.ActionPark, persistent.ActionSkip, persistent.ActionStop,
	}).Draw(t, "action")
	f, l := m.find(t, id)
	switch action {
	case persistent.ActionRetry:
		m.refuse(f, l)
	case persistent.ActionPark:
		m.settle(f, l, parking, false)
	case persistent.ActionSkip:
		m.settle(f, l, finished, false)
	case persistent.ActionStop:
	}
	m.check(t, m.group.Nack(m.now, action, "because", id))
}

// Tick lets time pass.
func (m *machine) Tick(t *rapid.T) {
	m.now = m.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "seconds")) * time.Second)
	for i := range m.facts {
		if f := &m.facts[i]; f.fate == inFlight && !f.due.After(m.now) {
			m.refuse(f, nil)
		}
	}
	for i := range m.links {
		if l := &m.links[i]; l.fate == inFlight && !l.due.After(m.now) {
			m.refuse(nil, l)
		}
	}
	m.check(t, m.group.Tick(m.now))
}

// Park ends parkings, well or badly.
func (m *machine) Park(t *rapid.T) {
	if len(m.numbers) == 0 {
		t.Skip("nothing to park")
	}
	number := rapid.SampledFrom(slices.Sorted(maps.Keys(m.numbers))).Draw(t, "number")
	at := m.numbers[number]
	delete(m.numbers, number)
	if rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
		m.check(t, m.group.ParkingFailed(m.now, number))
		return
	}
	to := at
	if at < 0 {
		l := &m.links[-1-at]
		l.fate, to = finished, l.to
	} else {
		m.facts[at].fate = parked
	}
	m.links = append(m.links, link{to: to, id: m.id(), fate: parked})
	m.check(t, m.group.Parked(m.now, number))
}

// Save ends the writing of a checkpoint, well or badly.
func (m *machine) Save(t *rapid.T) {
	if m.saving == nil {
		t.Skip("nothing to save")
	}
	position := *m.saving
	m.saving = nil
	if rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
		m.group.CheckpointFailed()
		return
	}
	m.stored = position
	m.check(t, m.group.CheckpointSaved(m.now, position))
}

// Truncate ends the cutting of the parked stream, well or badly.
func (m *machine) Truncate(t *rapid.T) {
	if m.cutting == nil {
		t.Skip("nothing to cut")
	}
	before := *m.cutting
	m.cutting = nil
	if rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
		m.group.TruncateFailed()
		return
	}
	m.cut = before
	m.check(t, m.group.Truncated(m.now, before))
}

// Replay asks for parked events to be delivered again.
func (m *machine) Replay(t *rapid.T) {
	stop := rapid.Int64Range(0, int64(len(m.links))).Draw(t, "stop")
	m.check(t, m.group.Replay(m.now, m.cut, stop))
}

// ReadParked lets the group read parked events.
func (m *machine) ReadParked(t *rapid.T) {
	first, stop, n := m.group.WantsParked()
	if n == 0 {
		t.Skip("no parked events wanted")
	}
	b := persistent.Batch{Through: first - 1}
	for ; b.Through+1 < stop && len(b.Events) < n; b.Through++ {
		l := &m.links[b.Through+1]
		if l.replayed {
			t.Fatalf("parked event %d replayed twice", b.Through+1)
		}
		l.fate, l.replayed = waiting, true
		b.Events = append(b.Events, persistent.Event{ID: l.id, Position: b.Through + 1, Pin: m.facts[l.to].pin})
	}
	b.More = b.Through+1 < stop
	m.check(t, m.group.ReadParked(m.now, b))
}

// Crash loses all but what is on disk: the checkpoint and the parked stream.
func (m *machine) Crash(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "crash") > 0 {
		t.Skip("not now")
	}
	m.restart()
}

func (m *machine) restart() {
	for i := range m.facts {
		f := &m.facts[i]
		if int64(i) > m.stored {
			f.fate, f.retries = unread, 0
		}
	}
	for i := range m.links {
		l := &m.links[i]
		if int64(i) >= m.cut {
			l.fate, l.retries, l.replayed = parked, 0, false
		}
	}
	m.slots, m.numbers = map[persistent.ConsumerID]int{}, map[uint64]int{}
	m.saving, m.cutting, m.newest = nil, nil, map[uint32]int64{}
	m.group = persistent.New(m.settings, m.stored)
}

// Check holds the bounds that always apply.
func (m *machine) Check(t *rapid.T) {
	s := m.group.Stats()
	inHand := 0
	for _, n := range m.slots {
		inHand += n
	}
	if s.InFlight > inHand {
		t.Fatalf("%d in flight, consumers take %d", s.InFlight, inHand)
	}
	if s.Fresh > m.settings.HistoryBufferSize {
		t.Fatalf("%d events read ahead, the buffer holds %d", s.Fresh, m.settings.HistoryBufferSize)
	}
	if m.group.Finished() < m.group.Saved() {
		t.Fatalf("finished to %d, saved %d", m.group.Finished(), m.group.Saved())
	}
}

// drain lets one willing consumer finish everything and fails when something is left over.
func (m *machine) drain(t *rapid.T) {
	if m.group.Full() || len(m.slots) == 0 {
		m.restart()
	}
	m.Join(t)
	for range 20*(len(m.facts)+len(m.links)) + 100 {
		for i := range m.facts {
			if f := &m.facts[i]; f.fate == inFlight {
				f.fate = finished
				m.check(t, m.group.Ack(m.now, f.id))
			}
		}
		for number, at := range m.numbers {
			delete(m.numbers, number)
			to := at
			if at < 0 {
				m.links[-1-at].fate, to = finished, m.links[-1-at].to
			} else {
				m.facts[at].fate = parked
			}
			m.links = append(m.links, link{to: to, id: m.id(), fate: parked})
			m.check(t, m.group.Parked(m.now, number))
			break
		}
		for i := range m.links {
			if l := &m.links[i]; l.fate == inFlight {
				l.fate = finished
				m.check(t, m.group.Ack(m.now, l.id))
			}
		}
		if m.saving != nil {
			m.stored, m.saving = *m.saving, nil
			m.check(t, m.group.CheckpointSaved(m.now, m.stored))
		}
		if m.group.Wants() > 0 && m.group.Through()+1 < int64(len(m.facts)) {
			m.Read(t)
		}
		if _, _, n := m.group.WantsParked(); n > 0 {
			m.ReadParked(t)
		}
		m.check(t, m.group.Tick(m.now)) // parks again what could not be parked
	}
	for i, f := range m.facts {
		if f.matches && f.fate != finished && f.fate != parked {
			t.Fatalf("event %d is lost: it is %d", i, f.fate)
		}
	}
	if got, want := m.group.Finished(), int64(len(m.facts))-1; got != want {
		t.Fatalf("finished to %d, want %d", got, want)
	}
}

// TestGroupAgainstAModel plays random histories: every event is in the end acknowledged, parked or
// skipped, retry counts are right, consumers never have too much in hand, and no checkpoint passes what
// is unfinished, across crashes.
func TestGroupAgainstAModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		history := rapid.IntRange(2, 12).Draw(t, "buffer")
		m := &machine{
			settings: persistent.Settings{
				MessageTimeout:     30 * time.Second,
				MaxRetryCount:      rapid.IntRange(0, 3).Draw(t, "max retries"),
				HistoryBufferSize:  history,
				ReadBatchSize:      rapid.IntRange(0, history-1).Draw(t, "batch"),
				CheckpointAfter:    time.Duration(rapid.IntRange(0, 5).Draw(t, "after")) * time.Second,
				MinCheckpointCount: rapid.IntRange(0, 3).Draw(t, "min"),
				MaxCheckpointCount: rapid.IntRange(0, 10).Draw(t, "max"),
				MaxSubscriberCount: rapid.IntRange(0, 4).Draw(t, "subscribers"),
				Strategy: rapid.SampledFrom([]persistent.Strategy{
					persistent.RoundRobin, persistent.DispatchToSingle, persistent.Pinned, persistent.PinnedByCorrelation,
				}).Draw(t, "strategy"),
			},
			now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), stored: persistent.None,
			slots: map[persistent.ConsumerID]int{}, numbers: map[uint64]int{}, newest: map[uint32]int64{},
		}
		if err := m.settings.Validate(); err != nil {
			t.Fatal(err)
		}
		m.group = persistent.New(m.settings, persistent.None)
		t.Repeat(map[string]func(*rapid.T){
			"write": m.Write, "join": m.Join, "leave": m.Leave, "read": m.Read, "ack": m.Ack, "nack": m.Nack,
			"tick": m.Tick, "park": m.Park, "save": m.Save, "truncate": m.Truncate, "replay": m.Replay,
			"read parked": m.ReadParked, "crash": m.Crash, "": m.Check,
		})
		m.drain(t)
	})
}
