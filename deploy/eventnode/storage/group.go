package storage

import (
	"crypto/rand"
	"fmt"
)

// group is a number of requests that are written and synced together. Each sees what the ones
// before it are about to write.
type group struct {
	store   *Store
	known   *recentIDs
	infos   streamInfos
	rd      *Reader
	start   uint64 // end of the log on disk
	created int64
	buf     []byte
	last    uint64 // position of the last record in buf
	table   *memtable
	ids     map[recentKey]recentEvent
}

func (g *group) info(stream string) (StreamInfo, error) {
	if s, ok := g.table.streams[stream]; ok {
		return s.StreamInfo, nil
	}
	if info, ok := g.infos[stream]; ok {
		return info, nil
	}
	info, err := g.store.index.info(stream)
	if err == nil {
		g.infos.add(stream, info)
	}
	return info, err
}

// streamInfos remembers what the writer, which alone changes streams, last knew of them; most of all that they have no metadata,
// which would take a look into the index file at every append.
type streamInfos map[string]StreamInfo

// streamInfosLimit bounds the streams that are remembered.
const streamInfosLimit = 32 << 10

func (m streamInfos) add(stream string, info StreamInfo) {
	if len(m) >= streamInfosLimit {
		clear(m)
	}
	m[stream] = info
}

func (g *group) recent(k recentKey) (recentEvent, bool) {
	if e, ok := g.ids[k]; ok {
		return e, true
	}
	e, ok := g.known.events[k]
	return e, ok
}

// record reads an event of a stream, written or about to be.
func (g *group) record(stream string, revision int64) (Record, bool, error) {
	if s, ok := g.table.streams[stream]; ok {
		if pos := s.at(revision); pos != 0 {
			r, err := decodeRecord(g.buf[pos-g.start:], pos)
			return r, err == nil, err
		}
	}
	return g.store.Record(g.rd, stream, revision)
}

// metadata returns what bounds a stream and the JSON that says so, which is nil when there is none.
func (g *group) metadata(stream string) (Meta, []byte, error) {
	if IsMetastream(stream) {
		return Meta{maxCount: 1}, nil, nil
	}
	info, err := g.info(metastreamOf(stream))
	if err != nil || info.Last < 0 {
		return Meta{}, nil, err
	}
	r, ok, err := g.record(metastreamOf(stream), info.Last)
	if err != nil || !ok {
		return Meta{}, nil, err
	}
	return parseMeta(r.Data), r.Data, nil
}

// add puts a record at the end of the group and fills in where it stands.
func (g *group) add(r *Record) error {
	name := string(r.Stream)
	info, err := g.info(name)
	if err != nil {
		return err
	}
	if info.id == 0 {
		info.id = g.store.index.newID()
	}
	if r.Revision != TombstoneRevision {
		r.Revision = info.Last + 1
	}
	r.Position = g.start + uint64(len(g.buf))
	r.lag = uint32(len(g.buf)) //nolint:gosec // the size of a group is bounded
	r.Created = g.created
	g.buf = appendRecord(g.buf, r)
	g.last = r.Position
	g.table.add(name, info, r.Revision, r.Position)
	g.ids[recentKey{r.ID, g.known.stream(name)}] = recentEvent{r.Revision, r.Position}
	return nil
}

// do decides a request and adds what it writes.
func (g *group) do(q *Request) (Result, error) {
	ids := make([][16]byte, len(q.Events))
	for i := range q.Events {
		ids[i] = q.Events[i].ID
	}
	if q.Kind != Append { // a new event each time, never one that was written before
		ids = make([][16]byte, 1)
		_, _ = rand.Read(ids[0][:]) // never fails
	}
	d, err := g.check(q.Stream, q.Expected, ids)
	if err != nil {
		return Result{}, err
	}
	res := Result{Verdict: d.verdict, Revision: d.info.Last, Position: d.position}
	if d.verdict == Repeated {
		res.Revision = d.revision
	}
	if d.verdict != Written {
		return res, nil
	}
	var records []Record
	switch q.Kind {
	case Append:
		records, err = g.appends(q)
	case Delete:
		records, err = g.deletion(q, d)
		if records == nil && err == nil {
			res.Verdict = WrongRevision
		}
	case Tombstone:
		records, err = []Record{{Stream: []byte(q.Stream), Type: []byte(kindTombstone), Revision: TombstoneRevision}}, nil
		_, _ = rand.Read(records[0].ID[:])
	}
	if err != nil || len(records) == 0 {
		return res, err
	}
	records[len(records)-1].Flags |= flagLastOfAppend
	for i := range records {
		if err := g.add(&records[i]); err != nil {
			return Result{}, err
		}
	}
	answer := records[0]
	if len(q.Events) > 0 {
		answer = records[len(q.Events)-1]
	}
	res.Revision, res.Position = answer.Revision, answer.Position
	return res, nil
}

// appends returns the events of an append and, when it brings a stream back to life, the metadata
// that hides what was deleted.
func (g *group) appends(q *Request) ([]Record, error) {
	if len(q.Events) == 0 {
		return nil, nil
	}
	records := make([]Record, len(q.Events), len(q.Events)+1)
	copy(records, q.Events)
	for i := range records {
		records[i].Stream = []byte(q.Stream)
	}
	revived, raw := q.Stream, []byte(nil)
	if IsMetastream(q.Stream) {
		revived = q.Stream[2:]
		raw = records[len(records)-1].Data
	}
	meta, old, err := g.metadata(revived)
	if err != nil || !meta.SoftDeleted() {
		return records, err
	}
	if raw == nil {
		raw = old
	}
	info, err := g.info(revived)
	if err != nil {
		return nil, err
	}
	if fixed, ok := undelete(raw, info.Last+1); ok {
		records = append(records, metadataRecord(revived, fixed))
	}
	return records, nil
}

// deletion returns the metadata that hides a stream, or nothing when there is no stream to hide.
func (g *group) deletion(q *Request, d decision) ([]Record, error) {
	if d.info.Last < 0 {
		meta, err := g.info(metastreamOf(q.Stream))
		if err != nil {
			return nil, fmt.Errorf("metadata of %q: %w", q.Stream, err)
		}
		if meta.Last < 0 {
			return nil, nil
		}
	}
	return []Record{metadataRecord(q.Stream, []byte(softDeleteMeta))}, nil
}

func metadataRecord(stream string, data []byte) Record {
	r := Record{Stream: []byte(metastreamOf(stream)), Type: []byte(kindMetadata), Data: data, Flags: FlagJSON}
	_, _ = rand.Read(r.ID[:]) // never fails
	return r
}
