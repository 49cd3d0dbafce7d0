package eventnode

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"strconv"
	"time"

	"github.com/google/uuid"

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

// Read implements persistent.Log.
func (l *groupLog) Read(after int64, n int) (persistent.Batch, error) {
	l.open()
	read := l.readStream
	if l.entry.Stream == streamAll {
		read = l.readAll
	}
	b, err := read(after, n)
	return l.settle(b), err
}

func (l *groupLog) readAll(after int64, n int) (persistent.Batch, error) {
	b := persistent.Batch{Through: after}
	if after != l.after || l.next == 0 {
		next, err := l.behind(after)
		if err != nil {
			return b, err
		}
		l.after, l.next = after, next
	}
	for looked := 0; l.next < l.rd.End && len(b.Events) < n && looked < scanRecords; looked++ {
		r, err := l.rd.At(l.next)
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
	r, err := l.rd.At(uint64(after))
	if err != nil {
		return 0, fmt.Errorf("read $all: %w", err)
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
	next := max(after+1, meta.First(info.Last))
	b.Through = next - 1
	if next > info.Last {
		return b, nil
	}
	positions, err := l.Positions(name, next, int(min(int64(n), info.Last-next+1)), false)
	if err != nil {
		return b, err
	}
	for i, pos := range positions {
		r, err := l.At(l.rd, pos, name, next+int64(i))
		if err != nil {
			return b, fmt.Errorf("read %s: %w", name, err)
		}
		b.Through, b.Considered = r.Revision, b.Considered+1
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
	if b.Through == storage.TombstoneRevision {
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

// parkedMetadata is what is stored with a parked event.
type parkedMetadata struct {
	Added                   time.Time `json:"added"`
	Reason                  string    `json:"reason"`
	SubscriptionEventNumber int64     `json:"subscriptionEventNumber"`
}

// Park implements persistent.Log: links to the events, in one append.
func (l *groupLog) Park(ctx context.Context, events []persistent.Parking) error {
	rd, side := l.Reader(), l.Reader()
	links := make([]storage.Record, len(events))
	for i, p := range events {
		r, err := rd.At(p.Event.At)
		if err != nil {
			return fmt.Errorf("park: %w", err)
		}
		target, err := l.target(side, &r, l.settings.ResolveLinks || p.Event.Replayed)
		if err != nil {
			return fmt.Errorf("park: %w", err)
		}
		data := bytes.Clone(r.Data) // a link that leads nowhere stays what it is
		if target != nil {
			data = append(append(strconv.AppendInt(nil, target.Revision, 10), '@'), target.Stream...)
		}
		metadata, err := json.Marshal(parkedMetadata{
			Added: l.now().UTC(), Reason: p.Reason, SubscriptionEventNumber: r.Revision,
		})
		if err != nil {
			return fmt.Errorf("park: %w", err)
		}
		links[i] = storage.Record{ID: uuid.New(), Type: []byte(storage.TypeLink), Data: data, Metadata: metadata}
	}
	name := parkedStream(l.entry.key())
	res, err := l.Write(ctx, &storage.Request{Kind: storage.Append, Stream: name, Expected: storage.Any, Events: links})
	if err == nil && res.Verdict != storage.Written {
		err = streamDeleted(name)
	}
	if err != nil {
		return fmt.Errorf("park: %w", err)
	}
	return nil
}

// Truncate implements persistent.Log.
func (l *groupLog) Truncate(ctx context.Context, before int64) error {
	return write(ctx, l.Store, "$$"+parkedStream(l.entry.key()), "$metadata", fmt.Appendf(nil, `{"$tb":%d}`, before))
}

// Checkpoint implements persistent.Log.
func (l *groupLog) Checkpoint(ctx context.Context, finished int64) error {
	name := checkpointStream(l.entry.key())
	if !l.prepared {
		meta, err := l.Stream("$$" + name)
		if err != nil {
			return err
		}
		limits, err := l.Limits(l.Reader(), name)
		if err != nil {
			return err
		}
		if meta.Last < 0 || limits.SoftDeleted() {
			if err := write(ctx, l.Store, "$$"+name, "$metadata", []byte(`{"$maxCount":2}`)); err != nil {
				return err
			}
		}
		l.prepared = true
	}
	data, err := json.Marshal(l.format(finished))
	if err != nil {
		return fmt.Errorf("encode checkpoint: %w", err)
	}
	return write(ctx, l.Store, name, kindCheckpoint, data)
}

// format writes down a position as EventStoreDB does.
func (l *groupLog) format(position int64) string {
	if l.entry.Stream == streamAll {
		return allPosition(uint64(position), uint64(position)) //nolint:gosec // the same bits come back
	}
	return strconv.FormatInt(position, 10)
}

// checkpoint returns the position that is stored, or false when there is none.
func (l *groupLog) checkpoint() (int64, bool, error) {
	name := checkpointStream(l.entry.key())
	info, err := l.Stream(name)
	if err != nil || info.Last < 0 || info.Tombstone != 0 {
		return 0, false, err
	}
	rd := l.Reader()
	limits, err := l.Limits(rd, name)
	if err != nil || info.Last < limits.First(info.Last) {
		return 0, false, err
	}
	r, ok, err := l.Record(rd, name, info.Last)
	if err != nil || !ok || r.Position < l.entry.Created {
		return 0, false, err
	}
	var text string
	if err := json.Unmarshal(r.Data, &text); err != nil {
		return 0, false, nil //nolint:nilerr // nobody but us writes them, and without one the group only repeats itself
	}
	if l.entry.Stream != streamAll {
		position, err := strconv.ParseInt(text, 10, 64)
		return position, err == nil, nil
	}
	commit, _, err := parseAllPosition(text)
	if err != nil {
		return 0, false, nil //nolint:nilerr // as above
	}
	if commit >= storage.FirstPosition {
		if _, err := rd.At(uint64(commit)); err != nil {
			return 0, false, nil //nolint:nilerr // as above
		}
	}
	return commit, true, nil
}

// starts returns the position that a new group continues behind, or why it cannot start there.
func (l *groupLog) starts() (int64, error) {
	if l.entry.Stream != streamAll {
		start, err := strconv.ParseInt(l.entry.StartPosition, 10, 64)
		if err != nil || start < -1 {
			return 0, startError("event number must be greater than or equal to -1.")
		}
		if start >= 0 {
			return start - 1, nil
		}
		info, err := l.Stream(l.entry.Stream)
		if info.Tombstone != 0 {
			return storage.TombstoneRevision, err
		}
		return info.Last, err
	}
	commit, prepare, err := parseAllPosition(l.entry.StartPosition)
	switch {
	case err != nil:
		return 0, startError(err.Error())
	case prepare > commit:
		return 0, startError("prepare position must be less than or equal to the commit position.")
	case commit == -1 && prepare == -1:
		return max(position(l.Last()), persistent.None), nil
	case commit < 0 || prepare < 0:
		return 0, startError("prepare and commit positions must be greater than or equal to 0 or both equal to -1.")
	case uint64(commit) > l.Last():
		return 0, startError("commit position must be less than or equal to the last commit position in the transaction file.")
	case commit <= storage.FirstPosition:
		return persistent.None, nil
	}
	r, err := l.Reader().Before(uint64(commit))
	if err != nil {
		return 0, startError("no event stands there.")
	}
	return position(r.Position), nil
}

func startError(reason string) error { return fmt.Errorf("Invalid Start From position: %s", reason) } //nolint:staticcheck // clients are shown this sentence
