package eventnode

import (
	"bytes"
	"strconv"
)

// follow returns the event that a link leads to, or nil when there is none (any more).
func (c *readCall) follow(link *record) (*record, error) {
	number, stream, ok := bytes.Cut(link.data, []byte("@"))
	if !ok {
		return nil, nil //nolint:nilnil // a link that leads nowhere is not an error
	}
	revision, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // as above
	}
	name := string(stream)
	info, err := c.index.info(name)
	if err != nil || info.tombstone != 0 {
		return nil, err
	}
	meta, err := c.limits(c.side, name)
	if err != nil || meta.softDeleted() || revision < meta.first(info.last) {
		return nil, err
	}
	r, ok, err := c.record(c.side, name, revision)
	if err != nil || !ok || meta.expired(r.created, c.node.opts.Now()) {
		return nil, err
	}
	return &r, nil
}
