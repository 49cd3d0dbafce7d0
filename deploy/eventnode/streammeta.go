package eventnode

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
	kindLink      = "$>"
)

// softDeleteMeta replaces all metadata of a stream that is deleted.
const softDeleteMeta = `{"$tb":9223372036854775807}`

// streamMeta is the part of a stream's metadata that bounds what reads of it return.
type streamMeta struct {
	maxCount int64
	maxAge   time.Duration
	before   int64 // $tb: events below it are gone
}

func isMetastream(name string) bool { return strings.HasPrefix(name, "$$") }

func metastreamOf(name string) string { return "$$" + name }

// softDeleted reports whether the stream reads as if it had never been written.
func (m streamMeta) softDeleted() bool { return m.before == math.MaxInt64 }

// first is the lowest revision that a read may return when last is the last one. It is at most last+1.
func (m streamMeta) first(last int64) int64 {
	low := m.before
	if m.maxCount > 0 {
		low = max(low, last-m.maxCount+1)
	}
	return min(max(low, 0), last+1)
}

// expired reports whether an event created at these ticks is hidden at now.
func (m streamMeta) expired(created int64, now time.Time) bool {
	return m.maxAge > 0 && created < ticks(now.Add(-m.maxAge))
}

// parseMeta reads stream metadata. What is not valid metadata counts as none at all.
func parseMeta(raw []byte) streamMeta {
	var m struct {
		MaxCount *int64 `json:"$maxCount"`
		MaxAge   *int64 `json:"$maxAge"`
		Before   *int64 `json:"$tb"`
	}
	if json.Unmarshal(raw, &m) != nil {
		return streamMeta{}
	}
	var out streamMeta
	if m.MaxCount != nil {
		if *m.MaxCount <= 0 {
			return streamMeta{}
		}
		out.maxCount = *m.MaxCount
	}
	if m.MaxAge != nil {
		if *m.MaxAge <= 0 {
			return streamMeta{}
		}
		out.maxAge = time.Duration(min(*m.MaxAge, math.MaxInt64/int64(time.Second))) * time.Second
	}
	if m.Before != nil {
		if *m.Before < 0 {
			return streamMeta{}
		}
		out.before = *m.Before
	}
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

// ticks is t as .NET counts from 1970: in steps of 100 ns.
func ticks(t time.Time) int64 { return t.Unix()*10_000_000 + int64(t.Nanosecond()/100) }
