package eventnode

import (
	"bytes"
	"strconv"
	"time"

	"aftercare/deploy/eventnode/storage"
)

// follow returns the event that a link leads to, or nil when there is none (any more).
func (c *readCall) follow(link *storage.Record) (*storage.Record, error) {
	return follow(c.Store, c.side, link, c.node.opts.Now())
}

func follow(s *storage.Store, rd *storage.Reader, link *storage.Record, now time.Time) (*storage.Record, error) {
	number, stream, ok := bytes.Cut(link.Data, []byte("@"))
	if !ok {
		return nil, nil //nolint:nilnil // a link that leads nowhere is not an error
	}
	revision, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // as above
	}
	name := string(stream)
	info, err := s.Stream(name)
	if err != nil || info.Tombstone != 0 {
		return nil, err
	}
	meta, err := s.Limits(rd, name)
	if err != nil || meta.SoftDeleted() || revision < meta.First(info.Last) {
		return nil, err
	}
	r, ok, err := s.Record(rd, name, revision)
	if err != nil || !ok || meta.Expired(r.Created, now) {
		return nil, err
	}
	return &r, nil
}
