package storage

// Expected revisions that are not a revision; the numbers are those of the wire errors.
const (
	Any          = -2
	NoStream     = -1
	StreamExists = -4
)

// Verdict is what the writer decided about a request.
type Verdict uint8

// What the writer may decide.
const (
	Written       Verdict = iota + 1 // nothing stands in the way
	Repeated                         // it was done before
	WrongRevision                    // wrong expected revision
	Deleted                          // the stream is deleted
)

// decision is a verdict and what led to it.
type decision struct {
	verdict  Verdict
	info     StreamInfo
	softly   bool   // the stream is soft deleted
	revision int64  // of the last event found again
	position uint64 // of the last event found again
}

// check decides whether ids may be written to a stream, as EventStoreDB does.
func (g *group) check(stream string, expected int64, ids [][16]byte) (decision, error) {
	info, err := g.info(stream)
	if err != nil {
		return decision{}, err
	}
	d := decision{info: info, verdict: Written}
	if info.Tombstone != 0 {
		d.verdict = Deleted
		return d, nil
	}
	if IsMetastream(stream) { // it ends with the stream it is about
		of, err := g.info(stream[len("$$"):])
		if err != nil {
			return decision{}, err
		}
		if of.Tombstone != 0 {
			d.verdict = Deleted
			return d, nil
		}
	}
	meta, _, err := g.metadata(stream)
	if err != nil {
		return decision{}, err
	}
	d.softly = meta.SoftDeleted()
	if expected == StreamExists {
		ok, err := g.exists(stream, &d)
		if err != nil || !ok {
			return d, err
		}
	}
	switch {
	case expected == Any || expected == StreamExists:
		g.checkRecent(&d, g.known.stream(stream), ids)
		return d, nil
	case expected > info.Last:
		d.verdict = WrongRevision
		return d, nil
	case expected == info.Last:
		return d, nil
	default:
		return d, g.checkWritten(&d, stream, expected, ids)
	}
}

// exists handles the StreamExists expectation and sets the verdict when it does not hold.
func (g *group) exists(stream string, d *decision) (bool, error) {
	if d.softly {
		d.verdict = Deleted
		return false, nil
	}
	if d.info.Last >= 0 {
		return true, nil
	}
	meta, err := g.info(metastreamOf(stream))
	if err != nil {
		return false, err
	}
	if meta.Last < 0 {
		d.verdict = WrongRevision
		return false, nil
	}
	return true, nil
}

// checkRecent looks for ids among the events written lately: all there means done before, none there
// means new, and anything else is a contradiction.
func (g *group) checkRecent(d *decision, stream uint64, ids [][16]byte) {
	for i, id := range ids {
		e, ok := g.recent(recentKey{id, stream})
		if !ok {
			if i > 0 {
				d.verdict = WrongRevision
			}
			return
		}
		if i == len(ids)-1 {
			d.verdict, d.revision, d.position = Repeated, e.revision, e.position
		}
	}
}

// checkWritten compares ids with the events behind an expected revision that is in the past.
func (g *group) checkWritten(d *decision, stream string, expected int64, ids [][16]byte) error {
	d.verdict = WrongRevision
	var last Record
	for i, id := range ids {
		r, ok, err := g.record(stream, expected+1+int64(i))
		if err != nil {
			return err
		}
		if !ok || r.ID != id {
			if i == 0 && expected == NoStream && d.softly {
				d.verdict = Written
			}
			return nil
		}
		last = r
	}
	if len(ids) > 0 {
		d.verdict, d.revision, d.position = Repeated, last.Revision, last.Position
	}
	return nil
}
