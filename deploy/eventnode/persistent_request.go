package eventnode

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	wire "github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
)

// startEnd and allStartEnd are how a start at the end is stored and shown.
const (
	startEnd    = "-1"
	allStartEnd = "C:-1/P:-1"
)

const ticksPerMillisecond = 10_000

// requestError is a request that cannot be understood, which the real server meets with an exception.
var errRequest = handlerException()

// wireSettings are the settings of a request to create or to update.
type wireSettings interface {
	GetResolveLinks() bool
	GetRevision() uint64
	GetExtraStatistics() bool
	GetMaxRetryCount() int32
	GetMinCheckpointCount() int32
	GetMaxCheckpointCount() int32
	GetMaxSubscriberCount() int32
	GetLiveBufferSize() int32
	GetReadBatchSize() int32
	GetHistoryBufferSize() int32
	GetMessageTimeoutMs() int32
	GetMessageTimeoutTicks() int64
	GetCheckpointAfterMs() int32
	GetCheckpointAfterTicks() int64
}

// milliseconds returns a time that comes in milliseconds or in ticks.
func milliseconds(ms int32, ticks int64) int32 {
	if ticks != 0 {
		return int32(min(max(ticks/ticksPerMillisecond, math.MinInt32), math.MaxInt32))
	}
	return ms
}

func newEntry(stream, group, start, strategy string, s wireSettings) groupEntry {
	return groupEntry{
		Stream: stream, Group: group, StartPosition: start, NamedConsumerStrategy: strategy,
		ResolveLinkTos: s.GetResolveLinks(), ExtraStatistics: s.GetExtraStatistics(),
		MessageTimeout: milliseconds(s.GetMessageTimeoutMs(), s.GetMessageTimeoutTicks()),
		LiveBufferSize: s.GetLiveBufferSize(), HistoryBufferSize: s.GetHistoryBufferSize(),
		MaxRetryCount: s.GetMaxRetryCount(), ReadBatchSize: s.GetReadBatchSize(),
		CheckPointAfter:    milliseconds(s.GetCheckpointAfterMs(), s.GetCheckpointAfterTicks()),
		MinCheckPointCount: s.GetMinCheckpointCount(), MaxCheckPointCount: s.GetMaxCheckpointCount(),
		MaxSubscriberCount: s.GetMaxSubscriberCount(),
	}
}

// createdEntry reads a request to create a group.
func createdEntry(o *wire.CreateReq_Options) (groupEntry, error) {
	s := o.GetSettings()
	if s == nil {
		return groupEntry{}, errRequest
	}
	strategy := s.GetConsumerStrategy()
	if strategy == "" {
		strategy = s.GetNamedConsumerStrategy().String() //nolint:staticcheck // most clients send this
	}
	var stream, start string
	var filter *filterEntry
	switch in := o.GetStreamOption().(type) {
	case *wire.CreateReq_Options_All:
		stream = streamAll
		switch p := in.All.GetAllOption().(type) {
		case *wire.CreateReq_AllOptions_Position:
			start = allPosition(p.Position.GetCommitPosition(), p.Position.GetPreparePosition())
		case *wire.CreateReq_AllOptions_Start:
			start = allPosition(0, 0)
		case *wire.CreateReq_AllOptions_End:
			start = allStartEnd
		default:
			return groupEntry{}, invalid("The position to start from is missing.")
		}
		var err error
		if filter, err = newFilterEntry(in.All); err != nil {
			return groupEntry{}, err
		}
	case *wire.CreateReq_Options_Stream:
		stream = string(in.Stream.GetStreamIdentifier().GetStreamName())
		switch r := in.Stream.GetRevisionOption().(type) {
		case *wire.CreateReq_StreamOptions_Revision:
			start = revisionStart(r.Revision)
		case *wire.CreateReq_StreamOptions_Start:
			start = revisionStart(0)
		case *wire.CreateReq_StreamOptions_End:
			start = startEnd
		default:
			return groupEntry{}, invalid("The revision to start from is missing.")
		}
	default: // old clients
		stream = string(o.GetStreamIdentifier().GetStreamName()) //nolint:staticcheck // they send only this
		start = revisionStart(s.GetRevision())                   //nolint:staticcheck // as above
	}
	e := newEntry(stream, o.GetGroupName(), start, strategy, s)
	e.Filter = filter
	return e, nil
}

// updatedEntry reads a request to change a group, which cannot change its filter.
func updatedEntry(o *wire.UpdateReq_Options) (groupEntry, error) {
	s := o.GetSettings()
	if s == nil {
		return groupEntry{}, errRequest
	}
	var stream, start string
	switch in := o.GetStreamOption().(type) {
	case *wire.UpdateReq_Options_All:
		stream = streamAll
		switch p := in.All.GetAllOption().(type) {
		case *wire.UpdateReq_AllOptions_Position:
			start = allPosition(p.Position.GetCommitPosition(), p.Position.GetPreparePosition())
		case *wire.UpdateReq_AllOptions_Start:
			start = allPosition(0, 0)
		case *wire.UpdateReq_AllOptions_End:
			start = allStartEnd
		default:
			return groupEntry{}, errRequest
		}
	case *wire.UpdateReq_Options_Stream:
		stream = string(in.Stream.GetStreamIdentifier().GetStreamName())
		switch r := in.Stream.GetRevisionOption().(type) {
		case *wire.UpdateReq_StreamOptions_Revision:
			start = revisionStart(r.Revision)
		case *wire.UpdateReq_StreamOptions_Start:
			start = revisionStart(0)
		case *wire.UpdateReq_StreamOptions_End:
			start = startEnd
		default:
			return groupEntry{}, invalid("The revision to start from is missing.")
		}
	default: // old clients
		stream = string(o.GetStreamIdentifier().GetStreamName()) //nolint:staticcheck // they send only this
		start = revisionStart(s.GetRevision())                   //nolint:staticcheck // as above
	}
	return newEntry(stream, o.GetGroupName(), start, s.GetNamedConsumerStrategy().String(), s), nil
}

// revisionStart is how a revision off the wire is stored; the largest number means the end.
func revisionStart(n uint64) string {
	if n == math.MaxUint64 {
		return startEnd
	}
	return strconv.FormatInt(toRevision(n), 10)
}

// allPosition is how EventStoreDB writes down a position of $all; the largest numbers mean the end.
func allPosition(commit, prepare uint64) string {
	return fmt.Sprintf("C:%d/P:%d", int64(commit), int64(prepare)) //nolint:gosec // the largest becomes -1 as there
}

// parseAllPosition is the inverse of allPosition.
func parseAllPosition(s string) (commit, prepare int64, err error) {
	c, p, ok := strings.Cut(s, "/")
	if !ok || !strings.HasPrefix(c, "C:") || !strings.HasPrefix(p, "P:") {
		return 0, 0, fmt.Errorf("%q is not a position", s)
	}
	if commit, err = strconv.ParseInt(c[2:], 10, 64); err != nil {
		return 0, 0, fmt.Errorf("%q is not a position: %w", s, err)
	}
	if prepare, err = strconv.ParseInt(p[2:], 10, 64); err != nil {
		return 0, 0, fmt.Errorf("%q is not a position: %w", s, err)
	}
	return commit, prepare, nil
}

// newFilterEntry returns the filter of a request, nil when it asks for none.
func newFilterEntry(in *wire.CreateReq_AllOptions) (*filterEntry, error) {
	o, ok := in.GetFilterOption().(*wire.CreateReq_AllOptions_Filter)
	if !ok {
		return nil, nil //nolint:nilnil // no filter is the common case and not an error
	}
	e := &filterEntry{Context: filterTypes, Type: filterPrefix, IsAllStream: true}
	var expr *wire.CreateReq_AllOptions_FilterOptions_Expression
	switch f := o.Filter.GetFilter().(type) {
	case *wire.CreateReq_AllOptions_FilterOptions_StreamIdentifier:
		e.Context, expr = filterStreams, f.StreamIdentifier
	case *wire.CreateReq_AllOptions_FilterOptions_EventType:
		expr = f.EventType
	default:
		return nil, invalid("The filter names neither streams nor event types.")
	}
	if expr.GetRegex() != "" {
		e.Type, e.Data = filterRegex, expr.GetRegex()
	} else {
		e.Prefixes, e.Data = expr.GetPrefix(), strings.Join(expr.GetPrefix(), ",")
	}
	_, err := e.compile()
	return e, err
}

// compile returns the filter, nil for none.
func (e *filterEntry) compile() (*filter, error) {
	if e == nil {
		return nil, nil //nolint:nilnil // no filter is the common case and not an error
	}
	f := &filter{byStream: e.Context == filterStreams}
	if e.Type == filterRegex {
		pattern, err := regexp.Compile(e.Data)
		if err != nil {
			return nil, invalid("The filter's regular expression is not supported: " + err.Error())
		}
		f.pattern = pattern
		return f, nil
	}
	prefixes := e.Prefixes
	if prefixes == nil && e.Data != "" {
		prefixes = strings.Split(e.Data, ",")
	}
	for _, p := range prefixes {
		f.prefixes = append(f.prefixes, []byte(p))
	}
	return f, nil
}
