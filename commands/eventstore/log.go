package eventstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"
	"unicode/utf16"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"aftercare/commands"
	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/domain/seal"
)

// Options of Open. The zero value is useful.
type Options struct {
	// OperationTimeout bounds every call to the store. Defaults to 10 s.
	OperationTimeout time.Duration
	// RetryFor is how long an operation is tried again while the store is unavailable. The last try has its full time, so
	// Append and each page of Read take no longer than this and OperationTimeout together. Defaults to 2 s.
	RetryFor time.Duration
	// MaxAppendSize is the store's own limit of one append, in bytes. Defaults to 1 MiB, the least of all servers.
	MaxAppendSize int
	// MaxConnections bounds the connections for reads and appends; each Follow has one more. Defaults to 16.
	MaxConnections int
	// BehindFor is how long a Follow waits for a store that ends before the position where the Follow is, as a node that
	// has not caught up does, before it fails with ErrReplaced. Defaults to 30 s.
	BehindFor time.Duration
	// Logger hears of outages. Defaults to slog.Default().
	Logger *slog.Logger
}

// Log is a commands.Log and commands.Follower. It is safe for concurrent use.
type Log struct {
	options Options
	codec   *codec.Codec
	sealer  seal.Sealer
	pool    *pool
}

var (
	_ commands.Log      = (*Log)(nil)
	_ commands.Follower = (*Log)(nil)
)

// Open returns the log of the store at an esdb:// or esdb+discover:// address. It does not connect yet: the only error is
// that of a malformed address.
func Open(url string, c *codec.Codec, s seal.Sealer, o Options) (*Log, error) {
	o.OperationTimeout = cmp.Or(o.OperationTimeout, 10*time.Second)
	o.RetryFor = cmp.Or(o.RetryFor, 2*time.Second)
	o.MaxAppendSize = cmp.Or(o.MaxAppendSize, 1<<20)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.MaxConnections = cmp.Or(o.MaxConnections, 16)
	o.BehindFor = cmp.Or(o.BehindFor, 30*time.Second)
	p, err := newPool(url, o)
	if err != nil {
		return nil, err
	}
	return &Log{options: o, codec: c, sealer: s, pool: p}, nil
}

var errNoID = errors.New("an event without an id cannot be appended")

// Close refuses new calls, ends every Follow and waits for the calls in flight, which their timeouts bound, and for the
// readers of a Follow, which must not call it.
func (l *Log) Close() error {
	l.pool.close()
	return nil
}

// A page ends with the event that reaches one of these. Nearly every stream is one page, and none takes long or much memory.
const (
	pageEvents = 4096
	pageBytes  = 4 << 20
)

// Read implements commands.Log. It reads in pages, each with its own timeout.
func (l *Log) Read(ctx context.Context, stream string, from uint64) iter.Seq2[domain.Recorded, error] {
	return func(yield func(domain.Recorded, error) bool) {
		for {
			p, err := retry(ctx, l, func(ctx context.Context) (page, error) { return l.page(ctx, stream, from) })
			if err != nil {
				yield(domain.Recorded{}, fmt.Errorf("read %s from %d: %w", stream, from, err))
				return
			}
			for _, raw := range p.events {
				r, err := l.codec.Decode(ctx, nil, raw)
				if !yield(r, err) || err != nil {
					return
				}
			}
			if !p.more {
				return
			}
			from = p.next
		}
	}
}

func (l *Log) page(ctx context.Context, stream string, from uint64) (page, error) {
	return call(ctx, l.pool, func(client *esdb.Client) (page, error) {
		events, err := client.ReadStream(ctx, stream, esdb.ReadStreamOptions{From: esdb.Revision(from)}, pageEvents)
		if err != nil {
			return page{}, err
		}
		defer events.Close()
		return collect(events)
	})
}

// Head returns the position of the last event of the store, the zero Position when there is none. Everything appended
// later lies after it.
func (l *Log) Head(ctx context.Context) (domain.Position, error) {
	return retry(ctx, l, func(ctx context.Context) (domain.Position, error) {
		return call(ctx, l.pool, func(client *esdb.Client) (domain.Position, error) {
			last, err := one(ctx, client, esdb.ReadAllOptions{From: esdb.End{}, Direction: esdb.Backwards})
			if err != nil || last == nil {
				return domain.Position{}, err
			}
			return position(last.Position), nil
		})
	})
}

// Append implements commands.Log.
func (l *Log) Append(ctx context.Context, stream string, expected commands.Expected, events []commands.Proposed) (commands.Receipt, error) {
	if len(events) == 0 {
		return commands.Receipt{}, fmt.Errorf("append to %s: no events", stream)
	}
	data, size, err := l.encode(ctx, stream, events)
	if err != nil {
		return commands.Receipt{}, err
	}
	if size > l.options.MaxAppendSize {
		return commands.Receipt{}, fmt.Errorf("append to %s: %w", stream, &commands.TooLargeError{Size: size, Limit: l.options.MaxAppendSize})
	}
	options := esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}, Deadline: &l.options.OperationTimeout}
	if expected != commands.NoStream {
		options.ExpectedRevision = esdb.Revision(uint64(expected)) //nolint:gosec // the only negative value is NoStream
	}
	receipt, err := retry(ctx, l, func(ctx context.Context) (commands.Receipt, error) {
		return call(ctx, l.pool, func(client *esdb.Client) (commands.Receipt, error) {
			result, err := client.AppendToStream(ctx, stream, options, data...)
			if err != nil {
				return commands.Receipt{}, err
			}
			return commands.Receipt{
				Revision: result.NextExpectedVersion,
				Position: domain.Position{Commit: result.CommitPosition, Prepare: result.PreparePosition},
			}, nil
		})
	})
	if errors.Is(err, commands.ErrTooLarge) {
		err = fmt.Errorf("%w: %w", &commands.TooLargeError{Size: size, Limit: limitIn(err)}, err)
	}
	if err != nil {
		return commands.Receipt{}, fmt.Errorf("append to %s: %w", stream, err)
	}
	return receipt, nil
}

// encode seals and encodes the events, once for all attempts, and returns their size as the store reckons it.
func (l *Log) encode(ctx context.Context, stream string, events []commands.Proposed) (data []esdb.EventData, size int, err error) {
	data = make([]esdb.EventData, len(events))
	for i, p := range events {
		if p.ID == (domain.UUID{}) { // the client would make another one up for each try, and the store take each for new
			return nil, 0, errNoID
		}
		e, err := l.codec.Encode(ctx, l.sealer, stream, p.ID, p.Event, p.Metadata)
		if err != nil {
			return nil, 0, err
		}
		size += len(e.Data) + len(e.Metadata) + 2*len(utf16.Encode([]rune(e.Type)))
		data[i] = esdb.EventData{
			EventID: uuid.UUID(p.ID), EventType: e.Type, ContentType: esdb.ContentTypeJson, Data: e.Data, Metadata: e.Metadata,
		}
	}
	return data, size, nil
}
