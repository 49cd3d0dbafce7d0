package eventnode_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"

	"aftercare/deploy/eventnode/storage"
)

// fact is an event that was read.
type fact struct {
	id       [16]byte
	stream   string
	revision int64
}

// promise is what an acknowledgement said about one event.
type promise struct {
	fact
	position uint64 // 0: the one of the next event of the append counts
}

// chronicle is everything that was sent, acknowledged and read, and knows what may not be.
type chronicle struct {
	mu       sync.Mutex
	waiting  map[[16]byte]string // sent, not read yet: the stream
	refused  map[[16]byte]bool
	promises []promise // acknowledged since the last check
	removed  map[string]bool

	facts    map[uint64]fact
	order    []uint64
	ids      map[[16]byte]uint64 // position of an event
	next     map[string]int64    // revision
	touched  map[string]bool     // streams since the last check
	acked    int
	repeated int
}

func newChronicle() *chronicle {
	return &chronicle{
		waiting: map[[16]byte]string{}, refused: map[[16]byte]bool{}, removed: map[string]bool{}, facts: map[uint64]fact{},
		ids: map[[16]byte]uint64{}, next: map[string]int64{}, touched: map[string]bool{},
	}
}

func (h *chronicle) summary() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Sprintf("events acknowledged %d, stored %d in %d streams, acknowledged again %d, lost 0, duplicates 0, positions changed 0",
		h.acked, len(h.facts), len(h.next), h.repeated)
}

// send notes that an append is about to be sent.
func (h *chronicle) send(s *sent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range s.ids {
		h.waiting[id] = s.stream
	}
}

// refuse notes that an append must not be stored.
func (h *chronicle) refuse(s *sent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, id := range s.ids {
		h.refused[id] = true
	}
}

// acknowledge notes that an append is stored, the last event of it at revision and position.
func (h *chronicle) acknowledge(s *sent, revision int64, position uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, before := h.ids[s.ids[0]]; before {
		h.repeated++
	}
	for i, id := range s.ids {
		p := promise{fact: fact{id, s.stream, revision - int64(len(s.ids)-1-i)}}
		if i == len(s.ids)-1 {
			p.position = position
		}
		h.promises = append(h.promises, p)
	}
	h.acked += len(s.ids)
	h.touched[s.stream] = true
}

// ended notes that a stream was removed.
func (h *chronicle) ended(stream string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.removed[stream] = true
}

// guess returns a revision at which a shared stream may be.
func (h *chronicle) guess(stream string) int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.next[stream] - 1
}

// follow reads what is behind the last event read, that one included, and checks it and what was promised.
func (h *chronicle) follow(ctx context.Context, cc *grpc.ClientConn, rng *rand.Rand) error {
	var from uint64
	if n := len(h.order); n > 0 {
		from = h.order[n-1]
	}
	last := from
	err := readLog(ctx, cc, from, func(position uint64, f fact, data []byte) error {
		if known, ok := h.facts[position]; ok {
			if known != f {
				return fmt.Errorf("position %d was %v, now it is %v", position, known, f)
			}
			return intact(f, data)
		}
		if position <= last {
			return fmt.Errorf("%v at %d follows %d", f, position, last)
		}
		last = position
		return h.learn(position, f, data)
	})
	if err != nil {
		return err
	}
	for _, p := range h.promises {
		at, ok := h.ids[p.id]
		if !ok {
			return fmt.Errorf("%v is lost", p.fact)
		}
		if got := h.facts[at]; got != p.fact || p.position != 0 && p.position != at {
			return fmt.Errorf("%v was acknowledged at %d, it is %v at %d", p.fact, p.position, got, at)
		}
	}
	h.promises = h.promises[:0]
	for stream := range h.touched {
		if err := h.streamEnds(ctx, cc, stream); err != nil {
			return err
		}
		if rng.IntN(20) == 0 {
			if err := h.whole(ctx, cc, stream); err != nil {
				return err
			}
		}
	}
	clear(h.touched)
	return nil
}

// learn takes in an event that was never read before.
func (h *chronicle) learn(position uint64, f fact, data []byte) error {
	if f.revision == math.MaxInt64 {
		h.removed[f.stream] = true
	} else {
		if f.revision != h.next[f.stream] {
			return fmt.Errorf("%v at %d, want revision %d", f, position, h.next[f.stream])
		}
		h.next[f.stream]++
	}
	if !strings.HasPrefix(f.stream, "$$") && f.revision != math.MaxInt64 {
		if at, twice := h.ids[f.id]; twice {
			return fmt.Errorf("%v is at %d and at %d", f, at, position)
		}
		if stream, ok := h.waiting[f.id]; !ok || stream != f.stream {
			return fmt.Errorf("%v at %d was never sent there", f, position)
		}
		if h.refused[f.id] {
			return fmt.Errorf("%v at %d was refused", f, position)
		}
		delete(h.waiting, f.id)
		h.ids[f.id] = position
		h.touched[f.stream] = true
		if err := intact(f, data); err != nil {
			return err
		}
	}
	h.facts[position] = f
	h.order = append(h.order, position)
	return nil
}

func intact(f fact, data []byte) error {
	if strings.HasPrefix(f.stream, "$$") || f.revision == math.MaxInt64 || bytes.Equal(data, content(f.id)) {
		return nil
	}
	return fmt.Errorf("%v has other data", f)
}

// streamEnds checks that the last event of a stream is the last one in the log.
func (h *chronicle) streamEnds(ctx context.Context, cc *grpc.ClientConn, stream string) error {
	if h.gone(stream) {
		return nil
	}
	var got int64 = -1
	err := readStreamRaw(ctx, cc, stream, true, 1, func(_ uint64, f fact, _ []byte) error {
		got = f.revision
		return nil
	})
	if err != nil || got != h.next[stream]-1 {
		return fmt.Errorf("%s ends at %d (%w), want %d", stream, got, err, h.next[stream]-1)
	}
	return nil
}

// gone reports whether a removal of the stream was acknowledged or found in the log.
func (h *chronicle) gone(stream string) bool {
	return h.removed[stream] || h.next["$$"+stream] > 0
}

// whole reads a stream from its beginning and holds it against the log.
func (h *chronicle) whole(ctx context.Context, cc *grpc.ClientConn, stream string) error {
	if h.gone(stream) {
		return nil
	}
	var want int64
	err := readStreamRaw(ctx, cc, stream, false, math.MaxUint64, func(position uint64, f fact, _ []byte) error {
		if f.revision != want || h.facts[position] != f {
			return fmt.Errorf("%v at %d in the stream, %v in the log", f, position, h.facts[position])
		}
		want++
		return nil
	})
	if err != nil || want != h.next[stream] {
		return fmt.Errorf("%s has %d events (%w), want %d", stream, want, err, h.next[stream])
	}
	return nil
}

// again reads everything from the beginning, the log and all streams.
func (h *chronicle) again(ctx context.Context, cc *grpc.ClientConn) error {
	n := 0
	err := readLog(ctx, cc, 0, func(position uint64, f fact, data []byte) error {
		if n >= len(h.order) || h.order[n] != position || h.facts[position] != f {
			return fmt.Errorf("event %d is %v at %d, it was another one", n, f, position)
		}
		n++
		return intact(f, data)
	})
	if err != nil || n != len(h.order) {
		return fmt.Errorf("%d events (%w), want %d", n, err, len(h.order))
	}
	for stream := range h.next {
		if !strings.HasPrefix(stream, "$$") {
			err = errors.Join(err, h.whole(ctx, cc, stream))
		}
	}
	return err
}

type visit func(position uint64, f fact, data []byte) error

func readLog(ctx context.Context, cc *grpc.ClientConn, from uint64, see visit) error {
	all := &streams.ReadReq_Options_AllOptions{AllOption: &streams.ReadReq_Options_AllOptions_Start{Start: &shared.Empty{}}}
	if from > 0 {
		all.AllOption = &streams.ReadReq_Options_AllOptions_Position{
			Position: &streams.ReadReq_Options_Position{CommitPosition: from, PreparePosition: from},
		}
	}
	return readRaw(ctx, cc, &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_All{All: all}, CountOption: &streams.ReadReq_Options_Count{Count: math.MaxUint64},
	}, see)
}

func readStreamRaw(ctx context.Context, cc *grpc.ClientConn, stream string, last bool, count uint64, see visit) error {
	o := &streams.ReadReq_Options_StreamOptions{
		StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(stream)},
		RevisionOption:   &streams.ReadReq_Options_StreamOptions_Start{Start: &shared.Empty{}},
	}
	q := &streams.ReadReq_Options{
		StreamOption: &streams.ReadReq_Options_Stream{Stream: o}, CountOption: &streams.ReadReq_Options_Count{Count: count},
	}
	if last {
		o.RevisionOption = &streams.ReadReq_Options_StreamOptions_End{End: &shared.Empty{}}
		q.ReadDirection = streams.ReadReq_Options_Backwards
	}
	return readRaw(ctx, cc, q, see)
}

func readRaw(ctx context.Context, cc *grpc.ClientConn, o *streams.ReadReq_Options, see visit) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o.FilterOption = &streams.ReadReq_Options_NoFilter{NoFilter: &shared.Empty{}}
	o.UuidOption = &streams.ReadReq_Options_UUIDOption{
		Content: &streams.ReadReq_Options_UUIDOption_Structured{Structured: &shared.Empty{}},
	}
	s, err := streams.NewStreamsClient(cc).Read(ctx, &streams.ReadReq{Options: o})
	if err != nil {
		return err
	}
	for {
		m, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		e := m.GetEvent().GetEvent()
		if e == nil {
			continue
		}
		var id [16]byte
		binary.BigEndian.PutUint64(id[:8], uint64(e.GetId().GetStructured().GetMostSignificantBits()))  //nolint:gosec // same bits
		binary.BigEndian.PutUint64(id[8:], uint64(e.GetId().GetStructured().GetLeastSignificantBits())) //nolint:gosec // same bits
		f := fact{id, string(e.GetStreamIdentifier().GetStreamName()), int64(min(e.GetStreamRevision(), storage.TombstoneRevision))}
		if err := see(e.GetCommitPosition(), f, e.GetData()); err != nil {
			return err
		}
	}
}
