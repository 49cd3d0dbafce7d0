package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// Head is the newest event of the log that is not the store's own.
type Head struct {
	Position   domain.Position
	RecordedAt time.Time
}

// Head returns the head of the log; the zero Head when there are no events.
func (l *Log) Head(ctx context.Context) (Head, error) {
	options := esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}
	for count := uint64(16); ; count = min(count*4, 4096) {
		var seen uint64
		for e, err := range l.all(ctx, options, count) {
			if err != nil {
				return Head{}, fmt.Errorf("read the head of the log: %w", err)
			}
			if !own(e.EventType) {
				return Head{position(e.Position), e.CreatedDate.UTC()}, nil
			}
			options.From = e.Position
			seen++
		}
		if seen < count {
			return Head{}, nil
		}
	}
}

// Read returns the events after a position, in order, up to the end of the log at that moment. It leaves out the store's
// own. The sequence ends after the first error.
func (l *Log) Read(ctx context.Context, after domain.Position) iter.Seq2[codec.Raw, error] {
	return func(yield func(codec.Raw, error) bool) {
		options := esdb.ReadAllOptions{Direction: esdb.Forwards, From: from(after)}
		for e, err := range l.all(ctx, options, math.MaxUint64) {
			if err != nil {
				yield(codec.Raw{}, fmt.Errorf("read the log: %w", err))
				return
			}
			if own(e.EventType) || position(e.Position).Compare(after) <= 0 {
				continue
			}
			if !yield(raw(e), nil) {
				return
			}
		}
	}
}

// ErrMissing says that the log holds no event at a position.
var ErrMissing = errors.New("no event at this position")

// At returns the event at a position, or ErrMissing.
func (l *Log) At(ctx context.Context, p domain.Position) (codec.Raw, error) {
	for e, err := range l.all(ctx, esdb.ReadAllOptions{Direction: esdb.Forwards, From: from(p)}, 1) {
		if p != (domain.Position{}) && status.Code(err) == codes.InvalidArgument {
			err = fmt.Errorf("%w: %w", ErrMissing, err) // no record of the store begins there
		}
		if err != nil {
			return codec.Raw{}, fmt.Errorf("read the event at %d: %w", p.Commit, err)
		}
		if position(e.Position) == p {
			return raw(e), nil
		}
	}
	return codec.Raw{}, fmt.Errorf("read the event at %d: %w", p.Commit, ErrMissing)
}

func (l *Log) all(ctx context.Context, options esdb.ReadAllOptions, count uint64) iter.Seq2[*esdb.RecordedEvent, error] {
	return func(yield func(*esdb.RecordedEvent, error) bool) {
		read, err := open(ctx, l, func(ctx context.Context, c *esdb.Client) (*esdb.ReadStream, error) {
			return c.ReadAll(ctx, options, count)
		}, (*esdb.ReadStream).Close)
		if err != nil {
			yield(nil, err)
			return
		}
		defer read.close()
		stalled := time.AfterFunc(l.timeout(), func() { read.abort(errTimeout) })
		defer stalled.Stop()
		for {
			stalled.Reset(l.timeout())
			e, err := guard(read.stream.Recv)
			stalled.Stop() // whoever gets the event takes their time
			if errors.Is(err, io.EOF) {
				return
			}
			if cause := read.cause(); cause != nil {
				err = cause // rather than what the client makes of it
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(e.OriginalEvent(), nil) {
				return
			}
		}
	}
}

// own reports whether a type is one of the store's own.
func own(eventType string) bool { return strings.HasPrefix(eventType, "$") }
