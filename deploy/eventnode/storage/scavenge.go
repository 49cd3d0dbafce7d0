package storage

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Errors of Scavenge.
var (
	// ErrScavenging means that a scavenge is under way already.
	ErrScavenging = errors.New("a scavenge is under way already")
	// ErrInMemory means that there is no log on disk.
	ErrInMemory = errors.New("nothing is on disk: there is no space to free")
	// ErrStopped means that the store was closed or its writer stopped.
	ErrStopped = errors.New("the store is stopped")
)

const (
	newLogName  = "events.log.new" // what a scavenge writes until it is whole
	copySync    = 32 << 20         // how much is copied between two syncs, so that none holds up appends for long
	logSyncSize = 4 << 20          // how much the writer is made to wait for, at most about
)

// Scavenged says what a scavenge did.
type Scavenged struct {
	Events uint64        `json:"events"` // removed
	Bytes  uint64        `json:"bytes"`  // of the log that held them
	Freed  int64         `json:"freed"`  // bytes on disk; less than Bytes, because only whole blocks come back
	Runs   uint64        `json:"runs"`   // pieces of the log that are empty now, those of earlier scavenges included
	Size   uint64        `json:"size"`   // of the log, which stays what it was
	OnDisk int64         `json:"onDisk"` // bytes that the log takes on disk now
	Took   time.Duration `json:"took"`   // in nanoseconds
}

// Scavenge removes what no reader of a stream can see any more: what $maxCount, $maxAge and $tb hide, all of a stream
// that has ended but the event that ended it, and all metadata but the last. The last event of a stream stays, that of one
// that has ended excepted. Nothing moves: every position denotes the same event as before, or none.
//
// Reads and appends go on. Only one scavenge may run, others get ErrScavenging. It ends with ctx and when the writer
// stops. After that, an error or a crash, the log has all events that it had for its readers.
func (s *Store) Scavenge(ctx context.Context) (Scavenged, error) {
	if s.opts.Dir == "" || s.opts.InMemory {
		return Scavenged{}, ErrInMemory
	}
	if !s.scavenging.TryLock() {
		return Scavenged{}, ErrScavenging
	}
	defer s.scavenging.Unlock()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-s.writer.closed:
			cancel(ErrStopped)
		case <-over:
		}
	}()
	began := s.opts.Now()
	done, err := s.scavenge(ctx, began)
	if err != nil {
		return Scavenged{}, fmt.Errorf("scavenge: %w", err)
	}
	done.Took = s.opts.Now().Sub(began)
	return done, nil
}

// scavenger writes the log anew.
type scavenger struct {
	store    *Store
	plan     *plan
	staged   *removals
	old      *eventLog // read as it is
	new      *eventLog
	to       *rewriter
	runs     []run
	done     Scavenged
	replaced logFile // the file of the old log, once another is in its place
	copied   uint64  // the new log holds everything in front of this
	synced   uint64  // all of that is on disk and verified up to here
}

func (s *Store) scavenge(ctx context.Context, now time.Time) (Scavenged, error) {
	last := s.Last() // stays, so that the log has an end to read backwards from
	if err := s.flushIndex(); err != nil {
		return Scavenged{}, err
	}
	p, err := s.plan(ctx, now)
	if err != nil || last == 0 || len(p.streams) == 0 {
		return s.nothingDone(err)
	}
	g := &scavenger{store: s, plan: p, old: s.log}
	if err := g.create(); err != nil {
		return Scavenged{}, err
	}
	swapped, err := g.run(ctx, last)
	if swapped {
		return g.done, err
	}
	return s.nothingDone(errors.Join(err, g.new.file.Close(), os.Remove(g.path(newLogName)), s.index.unprepare()))
}

func (s *Store) nothingDone(err error) (Scavenged, error) {
	if err != nil {
		return Scavenged{}, err
	}
	use, err := diskUse(filepath.Join(s.opts.Dir, LogName))
	return Scavenged{Size: s.End(), OnDisk: use}, err
}

func (g *scavenger) path(name string) string { return filepath.Join(g.store.opts.Dir, name) }

// create begins the new log.
func (g *scavenger) create() error {
	file, err := g.store.opts.openFile(newLogName)
	if err != nil {
		return err
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	g.new = &eventLog{file: &currentFile{logFile: file}, id: g.old.id, generation: max(binary.LittleEndian.Uint64(b[:]), 1)}
	g.staged = removalsOf(g.new.generation)
	g.to = newRewriter(file, 0)
	g.to.left = func(r run) error {
		g.done.Runs++
		if g.runs = append(g.runs, r); len(g.runs) < flushChunk {
			return nil
		}
		return g.stageRuns()
	}
	if err := file.Truncate(0); err != nil {
		return errors.Join(err, file.Close())
	}
	return g.to.put(logHeader(g.new.id, g.new.generation))
}

func (g *scavenger) stageRuns() error {
	err := g.store.index.putRuns(g.staged, g.runs)
	g.runs = g.runs[:0]
	return err
}

// run does everything and reports whether the new log is in the place of the old one.
func (g *scavenger) run(ctx context.Context, last uint64) (swapped bool, err error) {
	if err := g.reached("created"); err != nil {
		return false, err
	}
	if err := g.remove(ctx, last); err != nil {
		return false, err
	}
	if g.done.Events == 0 {
		return false, nil
	}
	if err := g.reached("copied"); err != nil {
		return false, err
	}
	for {
		if err := g.copyRest(ctx); err != nil {
			return false, err
		}
		if err := g.sync(ctx); err != nil {
			return false, err
		}
		if g.store.End()-g.copied < logSyncSize {
			break
		}
	}
	if err := g.prepareIndex(ctx); err != nil {
		return false, err
	}
	if err := g.reached("prepared"); err != nil {
		return false, err
	}
	before, err := diskUse(g.path(LogName))
	if err != nil {
		return false, err
	}
	held := g.store.writer.hold(ctx, func() { swapped, err = g.swap(ctx) })
	if swapped { // not while the writer waits: to free its space takes long
		if err := g.replaced.Close(); err != nil {
			g.store.opts.Logger.WarnContext(ctx, "old log not closed", "error", err)
		}
	}
	if err = errors.Join(err, held); err != nil {
		return swapped, err
	}
	if err := g.store.index.adopt(g.new.generation); err != nil {
		g.store.opts.Logger.WarnContext(ctx, "the index adopts the scavenged log at the next start only", "error", err)
	}
	g.done.Size = g.copied
	if g.done.OnDisk, err = diskUse(g.path(LogName)); err != nil {
		return true, err
	}
	g.done.Freed = before - g.done.OnDisk
	return true, g.reached("adopted")
}

// remove writes the new log up to the record at last without what the plan takes.
func (g *scavenger) remove(ctx context.Context, last uint64) error {
	written := uint64(0)
	err := walk(ctx, g.old, FirstPosition, last, func(r *Record, raw []byte) error {
		if written += uint64(len(raw)); written > copySync {
			written = 0
			if err := g.new.file.Sync(); err != nil {
				return fmt.Errorf("sync the new log: %w", err)
			}
		}
		switch {
		case r.filler():
			return g.to.drop(r.run())
		case g.plan.takes(r):
			g.done.Events++
			g.done.Bytes += r.size
			return g.to.drop(run{r.Position, r.Next(), 1})
		default:
			return g.to.keep(raw)
		}
	})
	if err != nil {
		return err
	}
	g.copied = last
	if err := g.to.endRun(); err != nil {
		return err
	}
	return g.stageRuns()
}

// copyRest writes what was acknowledged since, as it is.
func (g *scavenger) copyRest(ctx context.Context) error {
	end := g.store.End()
	err := walk(ctx, g.old, g.copied, end, func(r *Record, raw []byte) error {
		if r.filler() {
			return g.to.drop(r.run())
		}
		return g.to.keep(raw)
	})
	if err != nil {
		return err
	}
	g.copied = end
	at, err := g.to.finish()
	if err == nil && at != end {
		err = fmt.Errorf("the new log ends at %d, not at %d", at, end)
	}
	return err
}

// sync puts the new log on disk and reads again what was not verified yet.
func (g *scavenger) sync(ctx context.Context) error {
	if err := g.new.file.Sync(); err != nil {
		return fmt.Errorf("sync the new log: %w", err)
	}
	nothing := func(*Record, []byte) error { return nil }
	if err := walk(ctx, g.new, max(g.synced, FirstPosition), g.copied, nothing); err != nil {
		return fmt.Errorf("verify the new log: %w", err)
	}
	g.synced = g.copied
	return nil
}

// prepareIndex makes the index ready for a start with the new log, and leaves it so for one with the old.
func (g *scavenger) prepareIndex(ctx context.Context) error {
	ix, page := g.store.index, make([]streamFirst, 0, flushChunk)
	err := ix.eachFirst(ctx, func(f streamFirst) error {
		if c, again := g.plan.streams[f.name]; again && c.first > 0 {
			return nil
		}
		if page = append(page, f); len(page) < flushChunk {
			return nil
		}
		err := ix.putFirsts(g.staged, page)
		page = page[:0]
		return err
	})
	if err != nil {
		return err
	}
	for name, c := range g.plan.streams {
		if c.first == 0 {
			continue
		}
		if page = append(page, streamFirst{name, c.first}); len(page) == flushChunk {
			if err := ix.putFirsts(g.staged, page); err != nil {
				return err
			}
			page = page[:0]
		}
	}
	if err := ix.putFirsts(g.staged, page); err != nil {
		return err
	}
	return ix.prepare(g.new.generation)
}

// reached lets tests stop a scavenge between two steps.
func (g *scavenger) reached(step string) error {
	if g.store.opts.scavengeStep == nil {
		return nil
	}
	return g.store.opts.scavengeStep(step)
}

// flushIndex moves everything that is indexed now to disk.
func (s *Store) flushIndex() error {
	for range 2 { // the first may only end an earlier attempt
		if err := s.index.flush(); err != nil {
			return err
		}
	}
	return nil
}

// removeUnfinished removes what a scavenge left that did not come to its end.
func (o *Options) removeUnfinished() error {
	err := os.Remove(filepath.Join(o.Dir, newLogName))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
