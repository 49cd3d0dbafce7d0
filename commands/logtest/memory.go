package logtest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"aftercare/commands"
	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/domain/seal"
)

// Memory is a commands.Log and commands.Follower in memory. It is safe for concurrent use.
type Memory struct {
	codec  *codec.Codec
	sealer seal.Sealer
	now    func() time.Time
	limit  int
	*records
}

// records are what is shared by all views of one log.
type records struct {
	mu      sync.Mutex
	all     []codec.Raw
	streams map[string][]int // indexes into all
	grown   chan struct{}    // closed and replaced by every append
}

var (
	_ commands.Log      = (*Memory)(nil)
	_ commands.Follower = (*Memory)(nil)
)

// NewMemory returns an empty log. now gives the recording times. Appends are limited to 1 MiB, as a store's are.
func NewMemory(c *codec.Codec, s seal.Sealer, now func() time.Time) *Memory {
	return &Memory{
		codec: c, sealer: s, now: now, limit: 1 << 20,
		records: &records{streams: map[string][]int{}, grown: make(chan struct{})},
	}
}

// With returns the same log seen through another catalog.
func (m *Memory) With(c *codec.Codec) *Memory {
	other := *m
	other.codec = c
	return &other
}

// Read implements commands.Log.
func (m *Memory) Read(ctx context.Context, stream string, from uint64) iter.Seq2[domain.Recorded, error] {
	return func(yield func(domain.Recorded, error) bool) {
		for _, raw := range m.stream(stream, from) {
			r, err := domain.Recorded{}, ctx.Err()
			if err == nil {
				r, err = m.codec.Decode(ctx, nil, raw)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(domain.Recorded{}, err)
		}
	}
}

func (r *records) stream(name string, from uint64) []codec.Raw {
	r.mu.Lock()
	defer r.mu.Unlock()
	var raws []codec.Raw
	for revision, i := range r.streams[name] {
		if uint64(revision) >= from {
			raws = append(raws, r.all[i])
		}
	}
	return raws
}

// Head returns the position of the last event, the zero Position when there is none.
func (m *Memory) Head(context.Context) (domain.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.all) == 0 {
		return domain.Position{}, nil
	}
	return m.all[len(m.all)-1].Position, nil
}

// Append implements commands.Log.
func (m *Memory) Append(ctx context.Context, stream string, expected commands.Expected, events []commands.Proposed) (commands.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return commands.Receipt{}, fmt.Errorf("append to %s: %w", stream, err)
	}
	size, raws := 0, make([]codec.Raw, len(events))
	for i, p := range events {
		e, err := m.codec.Encode(ctx, m.sealer, stream, p.ID, p.Event, p.Metadata)
		if err != nil {
			return commands.Receipt{}, err
		}
		size += len(e.Data) + len(e.Metadata) + 2*len(e.Type)
		raws[i] = codec.Raw{ID: p.ID, Stream: stream, Type: e.Type, Data: e.Data, Metadata: e.Metadata}
	}
	if size > m.limit {
		return commands.Receipt{}, fmt.Errorf("append to %s: %w", stream, &commands.TooLargeError{Size: size, Limit: m.limit})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.streams[stream]
	if int64(expected) != int64(len(at))-1 || len(events) == 0 {
		return m.already(stream, at, expected, events)
	}
	for _, raw := range raws {
		raw.Revision = uint64(len(m.streams[stream]))
		raw.Position = position(len(m.all))
		raw.RecordedAt = m.now().UTC()
		m.streams[stream] = append(m.streams[stream], len(m.all))
		m.all = append(m.all, raw)
	}
	close(m.grown)
	m.grown = make(chan struct{})
	return m.receipt(stream, len(m.streams[stream])-1), nil
}

// already answers an append whose events are there, and refuses every other.
func (m *Memory) already(stream string, at []int, expected commands.Expected, events []commands.Proposed) (commands.Receipt, error) {
	if len(events) == 0 {
		return commands.Receipt{}, fmt.Errorf("append to %s: no events", stream)
	}
	first := int(expected) + 1
	if first < 0 || first+len(events) > len(at) {
		return commands.Receipt{}, fmt.Errorf("append to %s: %w", stream, commands.ErrConflict)
	}
	for i, p := range events {
		if m.all[at[first+i]].ID != p.ID {
			return commands.Receipt{}, fmt.Errorf("append to %s: %w", stream, commands.ErrConflict)
		}
	}
	return m.receipt(stream, first+len(events)-1), nil
}

func (m *Memory) receipt(stream string, revision int) commands.Receipt {
	raw := m.all[m.streams[stream][revision]]
	return commands.Receipt{Revision: raw.Revision, Position: raw.Position}
}

// position is not dense, on purpose.
func position(i int) domain.Position {
	p := uint64(i)*100 + 42 //nolint:gosec // an index is not negative
	return domain.Position{Commit: p, Prepare: p}
}

// Follow implements commands.Follower.
func (m *Memory) Follow(ctx context.Context, after domain.Position, prefixes []string, f func([]domain.Recorded, bool) error) error {
	next, caughtUp := 0, false
	for {
		raws, grown := m.after(next)
		next += len(raws)
		var batch []domain.Recorded
		for _, raw := range raws {
			if raw.Position.Compare(after) <= 0 || !hasPrefix(raw.Type, prefixes) {
				continue
			}
			r, err := m.codec.Decode(ctx, nil, raw)
			if err != nil {
				return err
			}
			batch = append(batch, r)
		}
		if len(batch) > 0 || !caughtUp {
			if err := f(batch, true); err != nil {
				return err
			}
			caughtUp = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-grown:
		}
	}
}

func (r *records) after(next int) ([]codec.Raw, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all[next:]), r.grown
}

func hasPrefix(name string, prefixes []string) bool {
	return len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}
