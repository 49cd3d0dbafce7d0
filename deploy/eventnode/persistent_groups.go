package eventnode

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"

	"aftercare/deploy/eventnode/persistent"
	"aftercare/deploy/eventnode/storage"
)

// tickTime is how often groups look at their clocks.
const tickTime = time.Second

// groups runs the groups of persistent subscriptions. Changes come one after the other.
type groups struct {
	node    *Node
	watcher *watcher

	change sync.Mutex // held while definitions change

	mu      sync.RWMutex
	started bool
	running map[string]*activeGroup
	broken  []groupEntry // definitions that cannot run; they are kept as they are

	loops     sync.WaitGroup
	receivers sync.WaitGroup // of consumers
}

// activeGroup is a group that runs.
type activeGroup struct {
	entry  groupEntry
	log    *groupLog
	runner *persistent.Runner
	cancel context.CancelCauseFunc
	done   chan struct{}
	rates  rates
}

// start loads the groups and lets them run until stop.
func (g *groups) start(ctx context.Context) error {
	g.change.Lock()
	defer g.change.Unlock()
	if err := g.load(ctx); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.started = true
	return nil
}

// load starts what is defined. Groups that cannot run are left out, and said so.
func (g *groups) load(ctx context.Context) error {
	st, logger := g.node.store, g.node.opts.Logger
	entries, err := loadGroups(st, func(err error) {
		logger.ErrorContext(ctx, "definitions of persistent subscriptions cannot be read, older ones are used", "error", err)
	})
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.running, g.broken = map[string]*activeGroup{}, nil
	g.mu.Unlock()
	pinned := false
	for i := range entries {
		e := &entries[i]
		if _, twice := g.running[e.key()]; twice { // anybody may write definitions, and nothing would ever end the one that was there
			logger.ErrorContext(ctx, "persistent subscription is defined twice, the first one runs", "stream", e.Stream, "group", e.Group)
			continue
		}
		l, err := g.newLog(e)
		if err == nil && e.Finished == nil && e.startsAtEnd() {
			var finished int64
			if finished, err = l.starts(); err == nil {
				e.Finished, l.entry.Finished, pinned = &finished, &finished, true
			}
		}
		if err == nil {
			err = g.run(ctx, l)
		}
		if err != nil {
			logger.ErrorContext(ctx, "persistent subscription cannot run", "stream", e.Stream, "group", e.Group, "error", err)
			g.broken = append(g.broken, *e)
		}
	}
	if pinned {
		if err := saveGroups(ctx, st, entries, g.node.opts.Now()); err != nil {
			logger.WarnContext(ctx, "starts of persistent subscriptions not written", "error", err)
		}
	}
	return nil
}

func (e *groupEntry) startsAtEnd() bool {
	return e.StartPosition == startEnd || e.StartPosition == allStartEnd
}

// newLog returns the log of a group, or why there can be no such group.
func (g *groups) newLog(e *groupEntry) (*groupLog, error) {
	settings, err := e.settings()
	if err != nil {
		return nil, err
	}
	f, err := e.Filter.compile()
	if err != nil {
		return nil, err
	}
	return &groupLog{Store: g.node.store, entry: *e, settings: settings, filter: f, watcher: g.watcher, now: g.node.opts.Now}, nil
}

// run lets a group work, from its checkpoint or else its start.
func (g *groups) run(ctx context.Context, l *groupLog) error {
	finished, stored, err := l.checkpoint()
	switch {
	case err != nil:
		return err
	case stored:
	case l.entry.Finished != nil:
		finished = *l.entry.Finished
	default:
		if finished, err = l.starts(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	a := &activeGroup{entry: l.entry, log: l, cancel: cancel, done: make(chan struct{})}
	a.runner = persistent.NewRunner(persistent.Options{
		Settings: l.settings, Log: l, Finished: finished, Stored: stored, Now: g.node.opts.Now,
		Logger: g.node.opts.Logger.With("stream", l.entry.Stream, "group", l.entry.Group),
	})
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running[l.entry.key()] = a
	g.loops.Go(func() {
		defer close(a.done)
		a.runner.Run(ctx)
		g.watcher.wake(l.entry.Stream) // it waits no longer
	})
	return nil
}

// tick lets time pass for all groups until the node stops.
func (g *groups) tick() {
	ticks := g.node.opts.ticks
	if ticks == nil {
		t := time.NewTicker(tickTime)
		defer t.Stop()
		ticks = t.C
	}
	for {
		select {
		case <-ticks:
			g.mu.RLock()
			for _, a := range g.running {
				a.runner.Tick()
			}
			g.mu.RUnlock()
		case <-g.node.stopping:
			return
		}
	}
}

// stop ends all groups, consumers first, with what they have to write.
func (g *groups) stop() {
	g.change.Lock()
	defer g.change.Unlock()
	g.mu.Lock()
	g.started = false
	g.mu.Unlock()
	g.end(persistent.ErrStopped, g.all()...)
	g.loops.Wait()
}

// end stops groups for a reason and waits for them.
func (g *groups) end(reason error, ended ...*activeGroup) {
	for _, a := range ended {
		a.cancel(reason)
	}
	for _, a := range ended {
		<-a.done
	}
}

// restart drops all consumers and starts again from what is on disk.
func (g *groups) restart(ctx context.Context) error {
	g.change.Lock()
	defer g.change.Unlock()
	if err := g.ready(); err != nil {
		return err
	}
	g.end(persistent.ErrDropped, g.all()...)
	return g.load(ctx)
}

// ready fails while the node does not serve groups.
func (g *groups) ready() error {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if !g.started {
		return shuttingDown()
	}
	return nil
}

func (g *groups) find(stream, group string) (*activeGroup, error) {
	if err := g.ready(); err != nil {
		return nil, err
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	a, ok := g.running[groupKey(stream, group)]
	if !ok {
		return nil, groupMissing(stream, group)
	}
	return a, nil
}

// do runs f with a group. A group that is not there, or was just dropped, may be on its way: f then runs
// again when the change is over.
func (g *groups) do(stream, group string, f func(*activeGroup) error) error {
	once := func() error {
		a, err := g.find(stream, group)
		if err != nil {
			return err
		}
		if err := f(a); err != nil {
			return groupError(&a.entry, err)
		}
		return nil
	}
	err := once()
	if wire, ok := errors.AsType[*wireError](err); !ok || wire.status.Code() != codes.NotFound && wire.status.Code() != codes.Canceled {
		return err
	}
	g.change.Lock()
	g.change.Unlock() //nolint:staticcheck // it waits for the change
	return once()
}

// all returns the groups by their streams and names.
func (g *groups) all() []*activeGroup {
	g.mu.RLock()
	defer g.mu.RUnlock()
	out := make([]*activeGroup, 0, len(g.running))
	for _, a := range g.running {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *activeGroup) int {
		return cmp.Or(cmp.Compare(a.entry.Stream, b.entry.Stream), cmp.Compare(a.entry.Group, b.entry.Group))
	})
	return out
}

// entries returns all definitions but the one under key, which may be the empty string, and those added.
func (g *groups) entries(but string, added ...groupEntry) []groupEntry {
	out := []groupEntry{}
	for _, a := range g.all() {
		out = append(out, a.entry)
	}
	out = slices.DeleteFunc(append(out, g.broken...), func(e groupEntry) bool { return e.key() == but })
	return append(out, added...)
}

// create defines a group and lets it run.
func (g *groups) create(ctx context.Context, e groupEntry) error {
	g.change.Lock()
	defer g.change.Unlock()
	if err := g.ready(); err != nil {
		return err
	}
	e.Created = g.node.store.End()
	l, err := g.check(&e)
	if err != nil {
		return groupFailed(e.Stream, e.Group, err.Error())
	}
	if _, err := g.find(e.Stream, e.Group); err == nil {
		return groupExists(e.Stream, e.Group)
	}
	if err := g.clear(ctx, e.key()); err != nil { // what a crash kept a deletion from removing
		return err
	}
	if err := saveGroups(ctx, g.node.store, g.entries(e.key(), e), g.node.opts.Now()); err != nil {
		return err
	}
	g.broken = slices.DeleteFunc(g.broken, func(old groupEntry) bool { return old.key() == e.key() })
	return g.run(ctx, l)
}

// check returns the log of a group that may be run, and where it starts if that is the end.
func (g *groups) check(e *groupEntry) (*groupLog, error) {
	l, err := g.newLog(e)
	if err != nil {
		return nil, err
	}
	finished, err := l.starts()
	if err != nil {
		return nil, err
	}
	if e.startsAtEnd() {
		e.Finished = &finished
	}
	l.entry = *e
	return l, nil
}

// update changes a group, which drops its consumers. It goes on from its checkpoint if it has one.
func (g *groups) update(ctx context.Context, e groupEntry) error {
	g.change.Lock()
	defer g.change.Unlock()
	old, err := g.find(e.Stream, e.Group)
	if err != nil {
		return err
	}
	e.Filter, e.Created = old.entry.Filter, old.entry.Created
	l, err := g.check(&e)
	if err != nil {
		return groupFailed(e.Stream, e.Group, err.Error())
	}
	if err := saveGroups(ctx, g.node.store, g.entries(e.key(), e), g.node.opts.Now()); err != nil {
		return err
	}
	g.end(persistent.ErrDropped, old)
	return g.run(ctx, l)
}

// remove deletes a group and what is stored for it.
func (g *groups) remove(ctx context.Context, stream, group string) error {
	g.change.Lock()
	defer g.change.Unlock()
	old, err := g.find(stream, group)
	if err != nil {
		return err
	}
	if err := saveGroups(ctx, g.node.store, g.entries(old.entry.key()), g.node.opts.Now()); err != nil {
		return err
	}
	g.mu.Lock()
	delete(g.running, old.entry.key())
	g.mu.Unlock()
	g.end(persistent.ErrDeleted, old)
	if err := g.clear(ctx, old.entry.key()); err != nil { // the next group of this name does it
		g.node.opts.Logger.WarnContext(ctx, "streams of a deleted persistent subscription are left", "stream", stream, "group", group, "error", err)
	}
	return nil
}

// clear deletes the checkpoint and the parked events of a group.
func (g *groups) clear(ctx context.Context, key string) error {
	st := g.node.store
	for _, name := range []string{checkpointStream(key), parkedStream(key)} {
		info, err := st.Stream(name)
		if err != nil {
			return err
		}
		limits, err := st.Limits(st.Reader(), name)
		if err != nil {
			return err
		}
		if info.Last < 0 || info.Tombstone != 0 || limits.SoftDeleted() {
			continue
		}
		_, err = st.Write(context.WithoutCancel(ctx), &storage.Request{Kind: storage.Delete, Stream: name, Expected: storage.Any})
		if err != nil {
			return err
		}
	}
	return nil
}
