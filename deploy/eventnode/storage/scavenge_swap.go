package storage

import (
	"context"
	"os"
)

// swap copies what is left while nothing is written, and puts the new log in the place of the old one. It runs
// in the writer.
func (g *scavenger) swap(ctx context.Context) (swapped bool, err error) {
	if err := g.copyRest(ctx); err != nil {
		return false, err
	}
	if err := g.sync(ctx); err != nil {
		return false, err
	}
	if err := g.reached("synced"); err != nil {
		return false, err
	}
	if err := os.Rename(g.path(newLogName), g.path(LogName)); err != nil {
		return false, err
	}
	s := g.store
	s.log.generation = g.new.generation
	s.index.removals.Store(g.staged) // readers that meet a hole must find what it is
	g.replaced = s.log.file.exchange(g.new.file.logFile)
	s.writer.dirty, s.log.spoiled = false, false // nothing is left of a failed write
	if err := syncDir(s.opts.Dir); err != nil {
		// Until the name is on disk a crash brings back the old log: nothing more may be acknowledged.
		s.writer.owed = func() error { return syncDir(s.opts.Dir) }
	}
	return true, g.reached("renamed")
}

// hold runs f between two groups, and returns when it has. It fails when ctx ends before.
func (w *writer) hold(ctx context.Context, f func()) error {
	ran := make(chan struct{})
	select {
	case w.tasks <- func() { defer close(ran); f() }:
		<-ran
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// close tells that nothing will be written any more.
func (w *writer) close() { w.closing.Do(func() { close(w.closed) }) }
