package projections

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/projections/archive"
)

// load fills the tables of the new versions.
func (b *rebuild) load(ctx context.Context, log *archive.Snapshot, fillings []*filling) error {
	group, ctx := errgroup.WithContext(ctx)
	work := make(chan portion)
	var folded atomic.Int64
	total := log.Events()
	told := func(events int) {
		b.Observe(RebuildProgress{Phase: Folding, Done: min(int(folded.Add(int64(events))), total), Total: total})
	}
	for range b.Partitions {
		group.Go(func() error {
			for p := range work {
				if err := b.waitOut(ctx, func() error { return b.fold(ctx, log, p) }); err != nil {
					return fmt.Errorf("portion %d of %d: %w", p.number, p.portions, err)
				}
				told(log.Events() / p.portions)
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(work)
		for _, p := range portionsOf(fillings) {
			select {
			case work <- p:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for _, f := range fillings {
		if f.portions == 0 && !f.filled {
			group.Go(func() error { return b.follow(ctx, log, f) })
		}
	}
	return group.Wait()
}

// portion is some whole streams, and the views that lack them.
type portion struct {
	plan
	number   int
	fillings []*filling
}

// portionsOf lists what is to be folded. Views that are filled from the same stretch of the log share portions.
func portionsOf(fillings []*filling) (all []portion) {
	for _, f := range fillings {
		if f.filled {
			continue
		}
		for number := range f.portions {
			if f.done[number] {
				continue
			}
			i := slices.IndexFunc(all, func(p portion) bool {
				return p.number == number && p.portions == f.portions && p.until == f.until
			})
			if i < 0 {
				i = len(all)
				all = append(all, portion{plan: f.plan, number: number})
			}
			all[i].fillings = append(all[i].fillings, f)
		}
	}
	return all
}

// portionsFor returns how many portions of about so many events a log is divided into. Where there are more than buckets, each bucket is divided
// again, and read as often.
func portionsFor(events, size int) int {
	n := max(1, (events+size-1)/size)
	if n <= archive.Buckets {
		return n
	}
	return archive.Buckets * min((n+archive.Buckets-1)/archive.Buckets, mostReads)
}

// mostReads is how often a bucket is read at most: beyond 100 million events portions grow.
const mostReads = 16

// part returns the buckets of the portion, and which of their streams are in it; nil means all.
func (p portion) part() (first, end int, streams func(string) bool) {
	if p.portions <= archive.Buckets {
		return p.number * archive.Buckets / p.portions, (p.number + 1) * archive.Buckets / p.portions, nil
	}
	reads := p.portions / archive.Buckets
	bucket, which := p.number/reads, p.number%reads
	return bucket, bucket + 1, func(stream string) bool { return int(crc32.ChecksumIEEE([]byte(stream))%uint32(reads)) == which } //nolint:gosec // small
}

// selection returns which events of the log a version is made of.
func (b *rebuild) selection(p plan, views ...View) archive.Selection {
	return archive.Selection{Types: handled(views), Until: p.until, RecordedBy: b.AsOf}
}

// fold decodes and folds a portion in memory, for all views that lack it, and writes it.
func (b *rebuild) fold(ctx context.Context, log *archive.Snapshot, p portion) error {
	parts := make([]*part, len(p.fillings))
	views := make([]View, len(p.fillings))
	for i, f := range p.fillings {
		views[i] = f.view
		parts[i] = &part{filling: f, number: p.number, bulk: f.view.Bulk(), behind: make(map[string]bool)}
	}
	err := b.decoded(ctx, log, p, views, func(e entry) {
		for _, part := range parts {
			if part.view.Handles(e.Type) {
				part.add(e)
			}
		}
	})
	if err != nil {
		return err
	}
	for i := range parts { // goroutines begin with different views, so as not to wait for each other
		part := parts[(i+p.number)%len(parts)]
		err := part.write(ctx, b)
		if err != nil && ctx.Err() == nil && !passing(err) {
			b.Logger.WarnContext(ctx, "a portion is folded event by event", "view", part.key, "error", reason(err))
			err = b.slowly(ctx, log, p, part.filling)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", part.key, err)
		}
	}
	return nil
}

// decoded reads the events of a portion that the views want, stream by stream in order.
func (b *rebuild) decoded(ctx context.Context, log *archive.Snapshot, p portion, views []View, add func(entry)) error {
	first, end, streams := p.part()
	which := b.selection(p.plan, views...)
	which.Streams = streams
	for events, err := range log.Streams(ctx, first, end, which) {
		if err != nil {
			return err
		}
		for some := range slices.Chunk(events, chunk) {
			for _, e := range decode(ctx, b.Codec, b.Opener, some) {
				if e.err != nil && passing(e.err) {
					return e.err
				}
				if e.Event != nil || e.err != nil {
					add(e)
				}
			}
		}
	}
	return nil
}

// chunk is how many events are decoded at once: as many as fit a processor's cache.
const chunk = 256

// part is what a goroutine holds of one view: a portion of it.
type part struct {
	*filling
	number int
	bulk   Bulk
	// behind are the streams with a refused event. Refused are those events and all later ones, and folded the number of the others.
	behind  map[string]bool
	refused []refusal
	folded  int
}

type refusal struct {
	domain.Recorded
	reason   string
	attempts int
}

func (p *part) add(e entry) {
	if p.behind[e.Stream] {
		p.refused = append(p.refused, refusal{e.Recorded, behind, 0})
		return
	}
	err := e.err
	if err == nil {
		err = guard(func() error { return p.bulk.Add(e.Recorded) })
	}
	if err != nil {
		p.behind[e.Stream] = true
		p.refused = append(p.refused, refusal{e.Recorded, reason(err), 1})
		return
	}
	p.folded++
}

// write writes the portion and notes that it is there, in one transaction.
func (p *part) write(ctx context.Context, b *rebuild) error {
	return p.once(ctx, b, p.number, func(tx pgx.Tx) (int, error) {
		for _, r := range p.refused {
			if err := p.park(ctx, tx, r.Recorded, r.reason, r.attempts); err != nil {
				return 0, err
			}
		}
		return p.folded, guard(func() error { return p.bulk.Copy(ctx, tx) })
	})
}

// once writes a portion, unless it is in the tables already: an answer to a commit may have been lost. Nobody waits for the disk: what
// is lost with the database's memory is lost with the note of it.
func (f *filling) once(ctx context.Context, b *rebuild, number int, write func(pgx.Tx) (int, error)) error {
	return pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
		if err := f.enter(ctx, tx); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `insert into aftercare.rebuild_portion (view, portion, events) values ($1, $2, 0) on conflict do nothing`, f.key, number)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		events, err := write(tx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `update aftercare.rebuild_portion set events = $3 where view = $1 and portion = $2`, f.key, number, events)
		return err
	})
}

// enter sets what the statements of a portion run under. It returns ErrRebuilding when the version is no longer the one that this rebuild
// fills: its lock went with a connection, and another one began.
func (f *filling) enter(ctx context.Context, tx pgx.Tx) error {
	err := tx.QueryRow(ctx, `
		select set_config('search_path', $2, true), set_config('synchronous_commit', 'off', true)
		  from aftercare.rebuild where view = $1 and started_at = $3 and not filled for share`, f.key, f.path(), f.began).Scan(nil, nil)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrRebuilding
	}
	return err
}

// slowly gives a portion to a view as a runner would, because Postgres refused it as a whole: what is refused is found, and set aside with what
// follows it in its stream.
func (b *rebuild) slowly(ctx context.Context, log *archive.Snapshot, p portion, f *filling) error {
	var entries []entry
	if err := b.decoded(ctx, log, p, []View{f.view}, func(e entry) {
		e.raw = codec.Raw{} // its payload is the reader's
		entries = append(entries, e)
	}); err != nil {
		return err
	}
	return f.once(ctx, b, p.number, func(tx pgx.Tx) (int, error) {
		s := sifting{slot: f.slot, behind: make(map[string]bool)}
		err := s.sift(ctx, tx, entries)
		return s.taken, err
	})
}

// sifting tells the events apart that a view takes and that it does not.
type sifting struct {
	slot
	behind map[string]bool
	taken  int
}

func (s *sifting) sift(ctx context.Context, tx pgx.Tx, entries []entry) error {
	entries, err := s.setAside(ctx, tx, entries)
	if err != nil || len(entries) == 0 {
		return err
	}
	refusal := entries[0].err
	if len(entries) > 1 && slices.ContainsFunc(entries, func(e entry) bool { return e.err != nil }) {
		refusal = errMixed
	}
	if refusal == nil {
		refusal = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return apply(ctx, tx, s.view, entries) })
	}
	switch {
	case refusal == nil:
		s.taken += len(entries)
		return nil
	case ctx.Err() != nil || passing(refusal):
		return refusal
	case len(entries) > 1:
		half := len(entries) / 2
		if err := s.sift(ctx, tx, entries[:half]); err != nil {
			return err
		}
		return s.sift(ctx, tx, entries[half:])
	}
	s.behind[entries[0].Stream] = true
	return s.park(ctx, tx, entries[0].Recorded, reason(refusal), 1)
}

// errMixed asks for smaller batches: one of the events could not be decoded.
var errMixed = errors.New("not all events were decoded")

// setAside parks the entries of streams that have a refused event, and returns the others.
func (s *sifting) setAside(ctx context.Context, tx pgx.Tx, entries []entry) ([]entry, error) {
	kept := make([]entry, 0, len(entries))
	for _, e := range entries {
		if !s.behind[e.Stream] {
			kept = append(kept, e)
			continue
		}
		if err := s.park(ctx, tx, e.Recorded, behind, 0); err != nil {
			return nil, err
		}
	}
	return kept, nil
}
