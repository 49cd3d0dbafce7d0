package eventnode

import (
	"sync"

	"aftercare/deploy/eventnode/storage"
)

// watcher tells groups when their streams grow, so that thousands that wait do not all wake for every
// append. It follows the log only while somebody waits.
type watcher struct {
	store  *storage.Store
	needed chan struct{} // holds a value when the first one waits

	mu      sync.Mutex
	waiting map[string]chan struct{} // by stream; $all is everything
	from    uint64                   // what is written behind it must be told
}

func newWatcher(st *storage.Store) *watcher {
	return &watcher{store: st, needed: make(chan struct{}, 1), waiting: map[string]chan struct{}{}}
}

// changed returns a channel that is closed when a stream grows after the call, and perhaps for less.
func (w *watcher) changed(stream string) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := w.waiting[stream]; ok {
		return c
	}
	if len(w.waiting) == 0 {
		w.from = w.store.End()
		select {
		case w.needed <- struct{}{}:
		default:
		}
	}
	c := make(chan struct{})
	w.waiting[stream] = c
	return c
}

// wake tells those who wait for a stream.
func (w *watcher) wake(stream string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := w.waiting[stream]; ok {
		close(c)
		delete(w.waiting, stream)
	}
}

func (w *watcher) wakeAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.waiting {
		close(c)
	}
	clear(w.waiting)
}

// state returns how many streams are waited for, not counting $all, and whether that is.
func (w *watcher) state() (streams int, all bool, from uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, all = w.waiting[streamAll]
	streams = len(w.waiting)
	if all {
		streams--
	}
	return streams, all, w.from
}

// run works until stop is closed.
func (w *watcher) run(stop <-chan struct{}) {
	at := uint64(0)
	for {
		select {
		case <-w.needed:
		case <-stop:
			return
		}
		_, _, from := w.state()
		at = w.follow(max(at, from), stop)
	}
}

// follow tells of what is written from a position on, until nobody waits. It returns where it is then.
func (w *watcher) follow(at uint64, stop <-chan struct{}) uint64 {
	rd := w.store.Reader()
	for {
		changed := w.store.Changed()
		end := w.store.End() // in front of the state: who waits later is told of what comes later
		streams, all, _ := w.state()
		if streams == 0 && !all {
			return at
		}
		if all && at < end {
			w.wake(streamAll)
		}
		for rd.End = end; streams > 0 && at < end; {
			r, err := rd.From(at)
			if err != nil { // they will see for themselves
				w.wakeAll()
				break
			}
			w.wake(string(r.Stream))
			at = r.Next()
		}
		at = max(at, end)
		select {
		case <-changed:
		case <-stop:
			return at
		}
	}
}
