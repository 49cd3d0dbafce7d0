package eventnode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"time"

	"aftercare/deploy/eventnode/persistent"
	"aftercare/deploy/eventnode/storage"
)

// scanRecords is how many records of $all one read looks through, so that a filter that matches little
// does not hold up the consumers of a group.
const scanRecords = 1024

const kindCheckpoint = "$SubscriptionCheckpoint"

// groupLog is the log as one group reads and writes it. Reading belongs to the loop of the group.
type groupLog struct {
	*storage.Store
	entry    groupEntry
	settings persistent.Settings
	filter   *filter
	watcher  *watcher
	now      func() time.Time

	rd, side *storage.Reader // nil while there is nothing to read
	after    int64           // $all: last position read
	next     uint64          // and where the record behind it stands
	live     bool            // the last read reached the end
	prepared bool            // the checkpoint stream has its metadata
}

func (l *groupLog) open() {
	if l.rd == nil {
		l.rd, l.side = l.Reader(), l.Reader()
	}
	l.rd.End = l.End()
}

// settle ends a read. Nobody knows when the next one comes, so buffers are given back at the end.
func (l *groupLog) settle(b persistent.Batch) persistent.Batch {
	if !b.More {
		l.rd, l.side = nil, nil
	}
	l.live = !b.More
	return b
}

// Changed implements persistent.Log.
func (l *groupLog) Changed() <-chan struct{} { return l.watcher.changed(l.entry.Stream) }

// Read implements persistent.Log.
func (l *groupLog) Read(after int64, n int) (persistent.Batch, error) {
	read := l.readStream
	if l.entry.Stream == streamAll {
		read = l.readAll
	}
	b, err := read(after, n)
	return l.settle(b), err
}

func (l *groupLog) readAll(after int64, n int) (persistent.Batch, error) {
	b := persistent.Batch{Through: after}
	l.open()
	if after != l.after || l.next == 0 {
		next, err := l.behind(after)
		if err != nil {
			return b, err
		}
		l.after, l.next = after, next
	}
	for looked := 0; l.next < l.rd.End && len(b.Events) < n && looked < scanRecords; looked++ {
		r, err := l.rd.From(l.next)
		if errors.Is(err, io.EOF) {
			l.next = l.rd.End // what is left was scavenged
			break
		}
		if err != nil {
			return b, fmt.Errorf("read $all: %w", err)
		}
		b.Through = position(r.Position)
		l.after, l.next = b.Through, r.Next()
		if hidden(&r) {
			continue
		}
		b.Considered++
		if !l.filter.match(&r) {
			continue
		}
		e, err := l.event(&r, b.Through)
		if err != nil {
			return b, err
		}
		b.Events = append(b.Events, e)
	}
	b.More = l.next < l.rd.End
	return b, nil
}

// behind returns where the record behind a position of $all stands.
func (l *groupLog) behind(after int64) (uint64, error) {
	if after < storage.FirstPosition {
		return storage.FirstPosition, nil
	}
	r, err := l.rd.From(uint64(after))
	switch {
	case errors.Is(err, io.EOF):
		return l.rd.End, nil
	case err != nil:
		return 0, fmt.Errorf("read $all: %w", err)
	case r.Position > uint64(after): // it was scavenged
		return r.Position, nil
	}
	return r.Next(), nil
}

func (l *groupLog) readStream(after int64, n int) (persistent.Batch, error) {
	b := persistent.Batch{Through: after}
	name := l.entry.Stream
	info, err := l.Stream(name)
	if err != nil {
		return b, err
	}
	if info.Last <= after && info.Tombstone == 0 {
		return b, nil // the log grew elsewhere, as it mostly does
	}
	l.open()
	if info.Tombstone != 0 {
		return l.readTombstone(b, info)
	}
	// Metadata bounds the history. A group that is at the end gets what a live buffer would hold.
	var meta storage.Meta
	if !l.live || info.Last-after > int64(l.settings.LiveBufferSize) {
		if meta, err = l.Limits(l.side, name); err != nil {
			return b, err
		}
	}
	next := max(after+1, meta.First(info.Last), info.First)
	b.Through = next - 1
	if next > info.Last {
		return b, nil
	}
	positions, err := l.Positions(name, next, int(min(int64(n), info.Last-next+1)), false)
	if err != nil {
		return b, err
	}
	for i, pos := range positions {
		b.Through, b.Considered = next+int64(i), b.Considered+1
		r, err := l.At(l.rd, pos, name, b.Through)
		if errors.Is(err, storage.ErrRemoved) {
			continue
		}
		if err != nil {
			return b, fmt.Errorf("read %s: %w", name, err)
		}
		if meta.Expired(r.Created, l.now()) {
			continue
		}
		e, err := l.event(&r, r.Revision)
		if err != nil {
			return b, err
		}
		b.Events = append(b.Events, e)
	}
	b.More = b.Through < info.Last
	return b, nil
}

// readTombstone returns the event that ended a stream: what is in front of it can no longer be read.
func (l *groupLog) readTombstone(b persistent.Batch, info storage.StreamInfo) (persistent.Batch, error) {
	if b.Through == storage.TombstoneRevision || storage.IsMetastream(l.entry.Stream) { // metadata ends without an event of its own
		return b, nil
	}
	r, err := l.At(l.rd, info.Tombstone, l.entry.Stream, storage.TombstoneRevision)
	if err != nil {
		return b, fmt.Errorf("read %s: %w", l.entry.Stream, err)
	}
	e, err := l.event(&r, storage.TombstoneRevision)
	return persistent.Batch{Events: []persistent.Event{e}, Through: storage.TombstoneRevision, Considered: 1}, err
}

// event refers to a record.
func (l *groupLog) event(r *storage.Record, position int64) (persistent.Event, error) {
	e := persistent.Event{ID: r.ID, Position: position, At: r.Position}
	switch l.settings.Strategy {
	case persistent.Pinned:
		e.Pin = pin(sourceStream(r))
	case persistent.PinnedByCorrelation:
		target, err := l.target(l.side, r, l.settings.ResolveLinks)
		if err != nil {
			return e, err
		}
		if target == nil {
			target = r
		}
		if id := correlation(target.Metadata); id != "" {
			e.Pin = pin([]byte(id))
		} else {
			e.Pin = pin(sourceStream(r))
		}
	case persistent.RoundRobin, persistent.DispatchToSingle:
	}
	return e, nil
}

// target is what a record that is a link leads to, if links are resolved: nil when that is gone. All
// other records are their own target.
func (l *groupLog) target(rd *storage.Reader, r *storage.Record, resolve bool) (*storage.Record, error) {
	if !resolve || string(r.Type) != storage.TypeLink {
		return r, nil
	}
	return follow(l.Store, rd, r, l.now())
}

// sourceStream is the stream of an event, or the one that a link leads to.
func sourceStream(r *storage.Record) []byte {
	if string(r.Type) == storage.TypeLink {
		if _, stream, ok := bytes.Cut(r.Data, []byte("@")); ok {
			return stream
		}
	}
	return r.Stream
}

// correlation is the correlation id in the metadata of an event, or nothing.
func correlation(metadata []byte) string {
	var m struct {
		ID any `json:"$correlationId"`
	}
	if json.Unmarshal(metadata, &m) != nil {
		return ""
	}
	id, _ := m.ID.(string)
	return id
}

func pin(b []byte) uint32 {
	h := fnv.New32a()
	_, _ = h.Write(b) // never fails
	return h.Sum32()
}

// position is a position of the log as groups count: the file is smaller than that.
func position(p uint64) int64 { return int64(min(p, math.MaxInt64)) }

// ParkedRange implements persistent.Log.
func (l *groupLog) ParkedRange() (first, end int64, err error) {
	return parkedRange(l.Store, l.entry.key())
}

func parkedRange(st *storage.Store, key string) (first, end int64, err error) {
	name := parkedStream(key)
	info, err := st.Stream(name)
	if err != nil || info.Tombstone != 0 {
		return 0, 0, err
	}
	meta, err := st.Limits(st.Reader(), name)
	if err != nil {
		return 0, 0, err
	}
	return meta.First(info.Last), info.Last + 1, nil
}

// ReadParked implements persistent.Log. It leaves out what leads nowhere.
func (l *groupLog) ReadParked(first, stop int64, n int) (persistent.Batch, error) {
	l.open()
	name, b := parkedStream(l.entry.key()), persistent.Batch{Through: first - 1}
	positions, err := l.Positions(name, first, int(min(int64(n), stop-first)), false)
	if err != nil {
		return b, err
	}
	for i, pos := range positions {
		revision := first + int64(i)
		b.Through = revision
		r, err := l.At(l.rd, pos, name, revision)
		if errors.Is(err, storage.ErrRemoved) {
			continue
		}
		if err != nil {
			return b, fmt.Errorf("read %s: %w", name, err)
		}
		target, err := l.target(l.side, &r, true)
		if err != nil {
			return b, err
		}
		if target == nil || r.Position < l.entry.Created {
			continue
		}
		e := persistent.Event{ID: r.ID, Position: revision, At: r.Position, Pin: pin(sourceStream(&r))}
		if id := correlation(target.Metadata); id != "" && l.settings.Strategy == persistent.PinnedByCorrelation {
			e.Pin = pin([]byte(id))
		}
		b.Events = append(b.Events, e)
	}
	if b.More = len(positions) > 0 && b.Through+1 < stop; !b.More {
		l.rd, l.side = nil, nil
	}
	return b, nil
}
