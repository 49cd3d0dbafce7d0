package projections

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/domain/seal"
	"aftercare/projections/feed"
)

// batch is a stretch of the log, decoded once for all views.
type batch struct {
	entries  []entry
	target   domain.Position
	messages []*message.Message
	// open counts the views that still have to commit it.
	open atomic.Int32
}

// release says that one view is through with the batch. The last one acks.
func (b *batch) release() {
	if b.open.Add(-1) > 0 {
		return
	}
	for _, m := range b.messages {
		m.Ack()
	}
}

// collector makes batches of messages.
type collector struct {
	messages <-chan *message.Message
	most     int
	codec    *codec.Codec
	opener   seal.Opener
	logger   *slog.Logger
	handles  func(string) bool
	// live is set once the end of the log was seen: then a batch hardly waits for company.
	live bool
	// spaced is when the next batch may end.
	spaced <-chan time.Time
}

const (
	// lingerBehind is how long a batch waits to fill up while there is history to catch up with, lingerLive afterwards.
	lingerBehind = 50 * time.Millisecond
	lingerLive   = time.Millisecond
	// spacing is the least time between the ends of batches. An event that comes alone is not held up by it; where many come, transactions
	// for each would cost more than all else.
	spacing = 15 * time.Millisecond
)

// next waits for the next batch. It returns nil when there will be none.
func (c *collector) next(ctx context.Context) (*batch, error) {
	first, ok := <-c.messages
	if !ok {
		return nil, ctx.Err()
	}
	b := &batch{}
	var events []codec.Raw
	take := func(m *message.Message) (bool, error) {
		b.messages = append(b.messages, m)
		at, err := feed.PositionOf(m)
		if err != nil {
			return true, err
		}
		b.target = at
		switch feed.ProgressOf(m) {
		case feed.Live:
			c.live = true
			return true, nil
		case feed.Passed:
			return false, nil
		}
		e, err := feed.Event(m)
		if err != nil {
			return true, err
		}
		if c.handles(e.Type) {
			events = append(events, e)
		}
		return len(b.messages) >= c.most, nil
	}
	full, err := take(first)
	linger := lingerBehind
	if c.live {
		linger = lingerLive
	}
	lingered, spaced := time.After(linger), c.spaced
	for (lingered != nil || spaced != nil) && !full && err == nil {
		select {
		case m, ok := <-c.messages:
			if !ok {
				return nil, ctx.Err()
			}
			full, err = take(m)
		case <-lingered:
			lingered = nil
		case <-spaced:
			spaced = nil
		}
	}
	c.spaced = time.After(spacing)
	if err != nil {
		return nil, err
	}
	b.entries, err = c.decode(ctx, events)
	return b, err
}

// decode decodes events, keeping their order. It waits out the failures that are not an event's.
func (c *collector) decode(ctx context.Context, events []codec.Raw) ([]entry, error) {
	const share = 256
	entries := make([]entry, len(events))
	pause := firstPause
	for {
		var (
			wg      sync.WaitGroup
			waiting atomic.Pointer[error]
			size    = max(share, (len(events)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
		)
		for start := 0; start < len(events); start += size {
			wg.Go(func() {
				end := min(start+size, len(events))
				for i, e := range decode(ctx, c.codec, c.opener, events[start:end]) {
					entries[start+i] = e
					if e.err != nil && passing(e.err) {
						waiting.Store(&e.err)
						return
					}
				}
			})
		}
		wg.Wait()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		err := waiting.Load()
		if err == nil {
			return entries, nil
		}
		c.logger.WarnContext(ctx, "decoding waits", slog.Any("error", *err), slog.Duration("pause", pause))
		if !sleep(ctx, pause) {
			return nil, ctx.Err()
		}
		pause = min(2*pause, lastPause)
	}
}

// decode decodes events; a panic of an upcaster is an error like any other. The keys of all persons in the events are asked for at
// once: one by one they would be the slowest part of a rebuild.
func decode(ctx context.Context, c *codec.Codec, o seal.Opener, events []codec.Raw) []entry {
	out := make([]entry, len(events))
	sealed := make([]bool, len(events))
	var persons []seal.Subject
	for i, e := range events {
		out[i].raw = e
		out[i].err = guard(func() (err error) {
			if out[i].Recorded, sealed[i], err = c.DecodeSealed(e); sealed[i] {
				persons = append(persons, seal.Subjects(out[i].Event)...)
			}
			return err
		})
		if out[i].err != nil {
			out[i].err = &eventError{out[i].err}
		}
	}
	if l, ok := o.(seal.Loader); ok && len(persons) > 0 {
		// Whoever is not found now is looked for again, alone, and that error is the event's own.
		_ = l.Load(ctx, persons)
	}
	for i, e := range events {
		if out[i].err == nil && sealed[i] {
			out[i].err = guard(func() (err error) {
				out[i].Recorded, err = c.Open(ctx, o, out[i].Recorded)
				return err
			})
		}
		if out[i].err != nil {
			out[i].Recorded = domain.Recorded{
				ID: e.ID, Stream: e.Stream, Revision: e.Revision, Position: e.Position, RecordedAt: e.RecordedAt, Type: e.Type,
			}
		}
	}
	return out
}
