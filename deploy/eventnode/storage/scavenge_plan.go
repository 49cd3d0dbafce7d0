package storage

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"go.etcd.io/bbolt"
)

// plan says what a scavenge may remove: of some streams everything below a revision. What goes is always the beginning
// of a stream, so that the index needs to know only where the rest begins.
type plan struct {
	now     time.Time
	streams map[string]*cut
}

// cut is the beginning of a stream that goes.
type cut struct {
	below int64 // revisions below it go
	last  int64 // the last revision, which stays whatever its age
	meta  Meta
	aging bool  // what follows goes, too, as long as it has expired
	first int64 // the first revision that is left, once something has gone
}

// takes reports whether a record goes. It must be asked for all of a stream in their order.
func (p *plan) takes(r *Record) bool {
	c, ok := p.streams[string(r.Stream)]
	if !ok || r.Revision == TombstoneRevision {
		return false
	}
	if r.Revision >= c.below {
		if c.aging = c.aging && r.Revision < c.last && c.meta.Expired(r.Created, p.now); !c.aging {
			return false
		}
	}
	c.first = r.Revision + 1
	return true
}

// plan looks at every stream that has ended or has metadata. Only what is hidden from readers of the streams may go, so
// it reads the last revision before the metadata: in between there can only be more.
func (s *Store) plan(ctx context.Context, now time.Time) (*plan, error) {
	p := &plan{now: now, streams: map[string]*cut{}}
	rd := s.Reader()
	err := s.index.eachStream(ctx, func(name string, tombstone bool) error {
		if tombstone {
			return s.planEnded(p, name)
		}
		if !IsMetastream(name) {
			return nil
		}
		of := name[len("$$"):]
		info, err := s.index.info(of)
		if err != nil || info.Tombstone != 0 {
			return err // the metadata goes with its stream
		}
		if err := s.planStream(p, rd, name); err != nil || IsMetastream(of) || info.Last < 0 {
			return err
		}
		return s.planStream(p, rd, of)
	})
	return p, err
}

// planEnded takes all of a stream that has ended, except its last event, and all of its metadata.
func (s *Store) planEnded(p *plan, name string) error {
	for _, name := range []string{name, metastreamOf(name)} {
		info, err := s.index.info(name)
		if err != nil {
			return err
		}
		first, err := s.index.first(name)
		if err != nil {
			return err
		}
		if first <= info.Last {
			p.streams[name] = &cut{below: math.MaxInt64}
		}
	}
	return nil
}

// planStream takes what the metadata of a stream hides, except the last event.
func (s *Store) planStream(p *plan, rd *Reader, name string) error {
	info, err := s.index.info(name)
	if err != nil || info.Last < 0 {
		return err
	}
	first, err := s.index.first(name)
	if err != nil {
		return err
	}
	rd.End = s.End()
	meta, err := s.Limits(rd, name)
	if err != nil {
		return fmt.Errorf("metadata of %q: %w", name, err)
	}
	c := &cut{below: max(first, min(meta.First(info.Last), info.Last)), last: info.Last, meta: meta}
	if meta.maxAge > 0 && c.below < info.Last { // look at one event before going through all
		r, ok, err := s.Record(rd, name, c.below)
		if err != nil {
			return err
		}
		c.aging = ok && meta.Expired(r.Created, p.now)
	}
	if c.below > first || c.aging {
		p.streams[name] = c
	}
	return nil
}

// eachStream calls visit with every stream that is on disk and whether it has ended. It looks at some at a time, because
// a long transaction would keep index.db from using its free pages again.
func (ix *index) eachStream(ctx context.Context, visit func(name string, tombstone bool) error) error {
	type entry struct {
		name      string
		tombstone bool
	}
	var page []entry
	var from []byte
	for more := true; more; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		page = page[:0]
		err := ix.db.View(func(tx *bbolt.Tx) error {
			c := tx.Bucket(bucketStreams).Cursor()
			k, v := c.Seek(from)
			for n := 0; k != nil && n < flushChunk; n++ {
				ended := len(v) >= streamEntry && binary.BigEndian.Uint64(v[16:]) != 0
				if ended || bytes.HasPrefix(k, []byte("$$")) {
					page = append(page, entry{string(k), ended})
				}
				k, v = c.Next()
			}
			more, from = k != nil, bytes.Clone(k)
			return nil
		})
		if err != nil {
			return fmt.Errorf("streams of the index: %w", err)
		}
		for _, e := range page {
			if err := visit(e.name, e.tombstone); err != nil {
				return err
			}
		}
	}
	return nil
}
