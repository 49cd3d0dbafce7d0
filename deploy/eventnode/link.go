package eventnode

import (
	"bytes"
	"strconv"

	"aftercare/deploy/eventnode/storage"
)

// follow returns the event that a link leads to, or nil when there is none (any more).
func (c *readCall) follow(link *storage.Record) (*storage.Record, error) {
	number, stream, ok := bytes.Cut(link.Data, []byte("@"))
	if !ok {
		return nil, nil //nolint:nilnil // a link that leads nowhere is not an error
	}
	revision, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // as above
	}
	name := string(stream)
	info, err := c.Stream(name)
	if err != nil || info.Tombstone != 0 {
		return nil, err
	}
	meta, err := c.Limits(c.side, name)
	if err != nil || meta.SoftDeleted() || revision < meta.First(info.Last) {
		return nil, err
	}
	r, ok, err := c.Record(c.side, name, revision)
	if err != nil || !ok || meta.Expired(r.Created, c.node.opts.Now()) {
		return nil, err
	}
	return &r, nil
}
