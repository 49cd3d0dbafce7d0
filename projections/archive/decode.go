package archive

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"aftercare/domain"
	"aftercare/domain/codec"
)

var errMalformed = errors.New("a part of the segment is malformed")

// cursor reads the fields of a part. After the first that is not there all are zero, and bad is set.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) number() uint64 {
	n, size := binary.Uvarint(c.rest)
	if size <= 0 {
		c.bad, c.rest = true, nil
		return 0
	}
	c.rest = c.rest[size:]
	return n
}

func (c *cursor) signed() int64 {
	n, size := binary.Varint(c.rest)
	if size <= 0 {
		c.bad, c.rest = true, nil
		return 0
	}
	c.rest = c.rest[size:]
	return n
}

func (c *cursor) bytes(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.bad, c.rest = true, nil
		return nil
	}
	b := c.rest[:n:n]
	c.rest = c.rest[n:]
	return b
}

// count reads how many things follow, of which each takes at least so many bytes.
func (c *cursor) count(least uint64) int {
	n := c.number()
	if n > uint64(len(c.rest))/least {
		c.bad, c.rest = true, nil
		return 0
	}
	return int(n) //nolint:gosec // less than the bytes there are
}

func (c *cursor) names() []string {
	n := c.count(1)
	lengths := make([]uint64, n)
	var total uint64
	for i := range lengths {
		if lengths[i] = c.number(); lengths[i] > math.MaxInt32 {
			c.bad = true
			return nil
		}
		total += lengths[i]
	}
	all := string(c.bytes(total)) // one string for all names, rather than one each
	if c.bad {
		return nil
	}
	list := make([]string, n)
	for i, length := range lengths {
		list[i], all = all[:length], all[length:]
	}
	return list
}

// least is the fewest bytes that an event takes: nine numbers and an id.
const least = 9 + 16

// decoder decodes parts. It keeps the names of types, which are the same in all.
type decoder struct {
	Selection
	types map[string]string
}

// intern returns the one string of a type's name.
func (d *decoder) intern(name string) string {
	if known, ok := d.types[name]; ok {
		return known
	}
	if d.types == nil {
		d.types = make(map[string]string)
	}
	d.types[name] = name
	return name
}

// part appends the selected events of a part to out. Their payloads are slices of raw.
func (d *decoder) part(raw []byte, after domain.Position, out []codec.Raw) ([]codec.Raw, error) {
	c := cursor{rest: raw}
	n := c.count(least)
	streams, types := c.names(), c.names()
	wanted := make([]bool, len(types))
	for i, name := range types {
		types[i] = d.intern(name)
		wanted[i] = d.Types == nil || d.Types(name)
	}
	chosen := make([]bool, len(streams))
	for i, name := range streams {
		chosen[i] = d.Streams == nil || d.Streams(name)
	}
	rest := c
	c = cursor{rest: rest.bytes(rest.number())}
	ids := rest.bytes(16 * uint64(n)) //nolint:gosec // not negative
	var (
		commit  = after.Commit
		seconds int64
	)
	for i := range n {
		stream, kind, revision := c.number(), c.number(), c.number()
		commit += c.number()
		prepare := commit - uint64(c.signed()) //nolint:gosec // modulo 2^64, both ways
		seconds += c.signed()
		nanoseconds := c.number()
		data, metadata := rest.bytes(c.number()), rest.bytes(c.number())
		if c.bad || rest.bad || stream >= uint64(len(streams)) || kind >= uint64(len(types)) || nanoseconds >= 1e9 {
			return out, errMalformed
		}
		if !wanted[kind] || !chosen[stream] {
			continue
		}
		recorded := time.Unix(seconds, int64(nanoseconds)).UTC()
		at := domain.Position{Commit: commit, Prepare: prepare}
		if !d.wants(at, recorded) {
			continue
		}
		out = append(out, codec.Raw{
			ID: domain.UUID(ids[16*i : 16*i+16]), Stream: streams[stream], Revision: revision, Position: at, RecordedAt: recorded,
			Type: types[kind], Data: data, Metadata: metadata,
		})
	}
	if c.bad || rest.bad || len(c.rest) > 0 || len(rest.rest) > 0 {
		return out, errMalformed
	}
	return out, nil
}
