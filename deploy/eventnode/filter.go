package eventnode

import (
	"bytes"
	"regexp"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"

	"aftercare/deploy/eventnode/storage"
)

const defaultWindow = 32

// filter selects events of $all by their type or stream.
type filter struct {
	byStream bool
	pattern  *regexp.Regexp // nil: prefixes
	prefixes [][]byte
	interval uint64 // considered events between two checkpoints
}

// newFilter reads the filter of a request, nil when it asks for none.
func newFilter(o *streams.ReadReq_Options) (*filter, error) {
	if _, ok := o.GetFilterOption().(*streams.ReadReq_Options_Filter); !ok {
		return nil, nil //nolint:nilnil // no filter is the common case and not an error
	}
	in := o.GetFilter()
	f := &filter{}
	var expr *streams.ReadReq_Options_FilterOptions_Expression
	switch e := in.GetFilter().(type) {
	case *streams.ReadReq_Options_FilterOptions_StreamIdentifier:
		f.byStream, expr = true, e.StreamIdentifier
	case *streams.ReadReq_Options_FilterOptions_EventType:
		expr = e.EventType
	default:
		return nil, invalid("The filter names neither streams nor event types.")
	}
	if expr.GetRegex() != "" {
		pattern, err := regexp.Compile(expr.GetRegex())
		if err != nil {
			return nil, invalid("The filter's regular expression is not supported: " + err.Error())
		}
		f.pattern = pattern
	}
	for _, p := range expr.GetPrefix() {
		f.prefixes = append(f.prefixes, []byte(p))
	}
	window := uint64(defaultWindow)
	if w, ok := in.GetWindow().(*streams.ReadReq_Options_FilterOptions_Max); ok {
		window = uint64(w.Max)
	}
	if window == 0 {
		return nil, invalid("The search window must be larger than 0.")
	}
	f.interval = window * uint64(in.GetCheckpointIntervalMultiplier())
	return f, nil
}

// match reports whether a read of $all with this filter, or with none, returns r.
func (f *filter) match(r *storage.Record) bool {
	if hidden(r) {
		return false
	}
	if f == nil {
		return true
	}
	subject := r.Type
	if f.byStream {
		subject = r.Stream
	}
	if f.pattern != nil {
		return f.pattern.Match(subject)
	}
	for _, p := range f.prefixes {
		if bytes.HasPrefix(subject, p) {
			return true
		}
	}
	return false
}

var (
	hiddenKind   = []byte("$epoch-information")
	hiddenStream = []byte("$persistentsubscription-$all::")
)

// hidden reports whether reads of $all leave r out whatever they ask for.
func hidden(r *storage.Record) bool {
	if len(r.Stream) == 0 || r.Stream[0] != '$' {
		return false
	}
	return bytes.Equal(r.Type, hiddenKind) || bytes.HasPrefix(r.Stream, hiddenStream) &&
		(bytes.HasSuffix(r.Stream, []byte("-checkpoint")) || bytes.HasSuffix(r.Stream, []byte("-parked")))
}
