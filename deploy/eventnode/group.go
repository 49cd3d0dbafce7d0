package eventnode

import (
	"crypto/rand"
	"fmt"
)

// group is a number of requests that are written and synced together. Each sees what the ones
// before it are about to write.
type group struct {
	store   *store
	known   *recentIDs
	rd      *reader
	start   uint64 // end of the log on disk
	created int64
	buf     []byte
	last    uint64 // position of the last record in buf
	table   *memtable
	ids     map[recentKey]recentEvent
}

func (g *group) info(stream string) (streamInfo, error) {
	return known(g.table, g.store.index, stream)
}

func (g *group) recent(k recentKey) (recentEvent, bool) {
	if e, ok := g.ids[k]; ok {
		return e, true
	}
	e, ok := g.known.events[k]
	return e, ok
}

// record reads an event of a stream, written or about to be.
func (g *group) record(stream string, revision int64) (record, bool, error) {
	if s, ok := g.table.streams[stream]; ok {
		if pos := s.at(revision); pos != 0 {
			r, err := decodeRecord(g.buf[pos-g.start:], pos)
			return r, err == nil, err
		}
	}
	return g.store.record(g.rd, stream, revision)
}

// metadata returns what bounds a stream and the JSON that says so, which is nil when there is none.
func (g *group) metadata(stream string) (streamMeta, []byte, error) {
	if isMetastream(stream) {
		return streamMeta{maxCount: 1}, nil, nil
	}
	info, err := g.info(metastreamOf(stream))
	if err != nil || info.last < 0 {
		return streamMeta{}, nil, err
	}
	r, ok, err := g.record(metastreamOf(stream), info.last)
	if err != nil || !ok {
		return streamMeta{}, nil, err
	}
	return parseMeta(r.data), r.data, nil
}

// add puts a record at the end of the group and fills in where it stands.
func (g *group) add(r *record) error {
	name := string(r.stream)
	info, err := g.info(name)
	if err != nil {
		return err
	}
	if info.id == 0 {
		info.id = g.store.index.newID()
	}
	if r.revision != tombstoneRevision {
		r.revision = info.last + 1
	}
	r.position = g.start + uint64(len(g.buf))
	r.lag = uint32(len(g.buf)) //nolint:gosec // the size of a group is bounded
	r.created = g.created
	g.buf = appendRecord(g.buf, r)
	g.last = r.position
	g.table.add(name, info, r.revision, r.position)
	g.ids[recentKey{r.id, info.id}] = recentEvent{r.revision, r.position}
	return nil
}

// do decides a request and adds what it writes.
func (g *group) do(q *writeRequest) (writeResult, error) {
	ids := make([][16]byte, len(q.events))
	for i := range q.events {
		ids[i] = q.events[i].id
	}
	d, err := g.check(q.stream, q.expected, ids)
	if err != nil {
		return writeResult{}, err
	}
	res := writeResult{verdict: d.verdict, revision: d.info.last, position: d.position}
	if d.verdict == verdictIdempotent {
		res.revision = d.revision
	}
	if d.verdict != verdictWrite {
		return res, nil
	}
	var records []record
	switch q.kind {
	case writeAppend:
		records, err = g.appends(q)
	case writeDelete:
		records, err = g.deletion(q, d)
		if records == nil && err == nil {
			res.verdict = verdictWrong
		}
	case writeTombstone:
		records, err = []record{{stream: []byte(q.stream), kind: []byte(kindTombstone), revision: tombstoneRevision}}, nil
		_, _ = rand.Read(records[0].id[:])
	}
	if err != nil || len(records) == 0 {
		return res, err
	}
	records[len(records)-1].flags |= flagLastOfAppend
	for i := range records {
		if err := g.add(&records[i]); err != nil {
			return writeResult{}, err
		}
	}
	answer := records[0]
	if len(q.events) > 0 {
		answer = records[len(q.events)-1]
	}
	res.revision, res.position = answer.revision, answer.position
	return res, nil
}

// appends returns the events of an append and, when it brings a stream back to life, the metadata
// that hides what was deleted.
func (g *group) appends(q *writeRequest) ([]record, error) {
	if len(q.events) == 0 {
		return nil, nil
	}
	records := make([]record, len(q.events), len(q.events)+1)
	copy(records, q.events)
	for i := range records {
		records[i].stream = []byte(q.stream)
	}
	revived, raw := q.stream, []byte(nil)
	if isMetastream(q.stream) {
		revived = q.stream[2:]
		raw = records[len(records)-1].data
	}
	meta, old, err := g.metadata(revived)
	if err != nil || !meta.softDeleted() {
		return records, err
	}
	if raw == nil {
		raw = old
	}
	info, err := g.info(revived)
	if err != nil {
		return nil, err
	}
	if fixed, ok := undelete(raw, info.last+1); ok {
		records = append(records, metadataRecord(revived, fixed))
	}
	return records, nil
}

// deletion returns the metadata that hides a stream, or nothing when there is no stream to hide.
func (g *group) deletion(q *writeRequest, d decision) ([]record, error) {
	if d.info.last < 0 {
		meta, err := g.info(metastreamOf(q.stream))
		if err != nil {
			return nil, fmt.Errorf("metadata of %q: %w", q.stream, err)
		}
		if meta.last < 0 {
			return nil, nil
		}
	}
	return []record{metadataRecord(q.stream, []byte(softDeleteMeta))}, nil
}

func metadataRecord(stream string, data []byte) record {
	r := record{stream: []byte(metastreamOf(stream)), kind: []byte(kindMetadata), data: data, flags: flagJSON}
	_, _ = rand.Read(r.id[:]) // never fails
	return r
}
