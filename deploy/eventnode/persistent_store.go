package eventnode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/google/uuid"

	"aftercare/deploy/eventnode/persistent"
	"aftercare/deploy/eventnode/storage"
)

// parkedMetadata is what is stored with a parked event.
type parkedMetadata struct {
	Added                   time.Time `json:"added"`
	Reason                  string    `json:"reason"`
	SubscriptionEventNumber int64     `json:"subscriptionEventNumber"`
}

// Park implements persistent.Log: links to the events, in one append.
func (l *groupLog) Park(ctx context.Context, events []persistent.Parking) error {
	rd, side := l.Reader(), l.Reader()
	links := make([]storage.Record, 0, len(events))
	for _, p := range events {
		r, err := rd.At(p.Event.At)
		if errors.Is(err, storage.ErrRemoved) {
			continue // there is nothing left to link to
		}
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
		links = append(links, storage.Record{ID: uuid.New(), Type: []byte(storage.TypeLink), Data: data, Metadata: metadata})
	}
	if len(links) == 0 {
		return nil
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
		if _, err := rd.At(uint64(commit)); err != nil && !errors.Is(err, storage.ErrRemoved) {
			return 0, false, nil
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
	rd := l.Reader()
	if _, err := rd.At(uint64(commit)); err != nil && !errors.Is(err, storage.ErrRemoved) {
		return 0, startError("no event stands there.")
	}
	r, err := rd.Before(uint64(commit))
	if errors.Is(err, io.EOF) {
		return persistent.None, nil // what was in front of it was scavenged
	}
	return position(r.Position), err
}

func startError(reason string) error { return fmt.Errorf("Invalid Start From position: %s", reason) } //nolint:staticcheck // clients are shown this sentence
