package storage

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	kindMetadata  = "$metadata"
	kindTombstone = "$streamDeleted"
	// TypeLink is the type of an event whose data, "revision@stream", names another one.
	TypeLink = "$>"
)

// softDeleteMeta replaces all metadata of a stream that is deleted.
const softDeleteMeta = `{"$tb":9223372036854775807}`

// Meta is the part of a stream's metadata that bounds what reads of it return.
type Meta struct {
	maxCount int64
	maxAge   time.Duration
	before   int64 // $tb: events below it are gone
}

// IsMetastream reports whether a stream holds the metadata of another one.
func IsMetastream(name string) bool { return strings.HasPrefix(name, "$$") }

func metastreamOf(name string) string { return "$$" + name }

// SoftDeleted reports whether the stream reads as if it had never been written.
func (m Meta) SoftDeleted() bool { return m.before == math.MaxInt64 }

// First is the lowest revision that a read may return when last is the last one. It is at most last+1.
func (m Meta) First(last int64) int64 {
	low := m.before
	if m.maxCount > 0 {
		low = max(low, last-m.maxCount+1)
	}
	return min(max(low, 0), last+1)
}

// Expired reports whether an event created at these ticks is hidden at now.
func (m Meta) Expired(created int64, now time.Time) bool {
	return m.maxAge > 0 && created < Ticks(now.Add(-m.maxAge))
}

// parseMeta reads stream metadata. What is not valid metadata counts as none at all.
func parseMeta(raw []byte) Meta {
	var fields map[string]json.RawMessage // a struct would take $MAXCOUNT, which means nothing, for $maxCount
	if json.Unmarshal(raw, &fields) != nil {
		return Meta{}
	}
	var out Meta
	var age int64
	for _, f := range []struct {
		key string
		min int64
		to  *int64
	}{{"$maxCount", 1, &out.maxCount}, {"$maxAge", 1, &age}, {"$tb", 0, &out.before}} {
		var n *int64
		if v, ok := fields[f.key]; ok && json.Unmarshal(v, &n) != nil || n != nil && *n < f.min {
			return Meta{}
		}
		if n != nil {
			*f.to = *n
		}
	}
	out.maxAge = time.Duration(min(age, math.MaxInt64/int64(time.Second))) * time.Second
	return out
}

// undelete returns raw with $tb set to from, or false when raw is not a JSON object.
func undelete(raw []byte, from int64) ([]byte, bool) {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil || m == nil {
		return nil, false
	}
	m["$tb"] = json.RawMessage(strconv.FormatInt(from, 10))
	out, err := json.Marshal(m)
	return out, err == nil
}

// Ticks is t as .NET counts from 1970: in steps of 100 ns.
func Ticks(t time.Time) int64 { return t.Unix()*10_000_000 + int64(t.Nanosecond()/100) }
