package storage

// StreamInfo is what the index knows about one stream.
type StreamInfo struct {
	id        uint64
	Last      int64  // revision of the last event, -1 when there is none
	Tombstone uint64 // position of the event that ended the stream, or 0
	First     int64  // all revisions below it were scavenged; only Store.Stream tells
}

// memStream is the part of a stream that one memtable holds: revisions from first on.
type memStream struct {
	StreamInfo
	first     int64
	positions []uint64
}

// memtable holds index entries that are not in index.db yet.
type memtable struct {
	streams map[string]*memStream
	events  int
	through uint64 // the log is indexed up to here once this table is
	runs    []run  // of removed records that a start found in the log
	firsts  map[string]int64
}

func newMemtable() *memtable { return &memtable{streams: map[string]*memStream{}} }

// remove notes a run of removed records.
func (t *memtable) remove(r run) {
	t.runs = append(t.runs, r)
	t.events++
}

// begin notes that all revisions of a stream below first were removed.
func (t *memtable) begin(name string, first int64) {
	if t.firsts == nil {
		t.firsts = map[string]int64{}
	}
	t.firsts[name] = first
}

// add notes that revision of a stream stands at position. The info is what was known before.
func (t *memtable) add(name string, known StreamInfo, revision int64, position uint64) {
	s, ok := t.streams[name]
	if !ok {
		s = &memStream{StreamInfo: known, first: revision}
		t.streams[name] = s
	}
	if revision == TombstoneRevision {
		s.Tombstone = position
	} else {
		s.follow(revision)
		s.positions = append(s.positions, position)
		s.Last = revision
	}
	t.events++
}

// merge moves everything of a later table into t.
func (t *memtable) merge(later *memtable) {
	for name, s := range later.streams {
		mine, ok := t.streams[name]
		if !ok {
			t.streams[name] = s
			continue
		}
		if len(s.positions) > 0 {
			mine.follow(s.first)
		}
		mine.positions = append(mine.positions, s.positions...)
		mine.StreamInfo = s.StreamInfo
	}
	for name, first := range later.firsts {
		t.begin(name, first)
	}
	t.runs = append(t.runs, later.runs...)
	t.events += later.events
	t.through = later.through
}

// follow makes revision the next one. What stands in front of a gap is not read any more.
func (s *memStream) follow(revision int64) {
	if revision != s.first+int64(len(s.positions)) {
		s.first, s.positions = revision, nil
	}
}

// at returns the position of revision, or 0 when this table does not hold it.
func (s *memStream) at(revision int64) uint64 {
	if revision == TombstoneRevision {
		return s.Tombstone
	}
	if i := revision - s.first; revision >= s.first && i < int64(len(s.positions)) {
		return s.positions[i]
	}
	return 0
}
