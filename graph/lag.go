package graph

import (
	"context"
	"sync"
	"time"
)

// Bounds of asking for lags, which costs a look into the store.
const (
	lagFresh = time.Second
	lagWait  = 250 * time.Millisecond
)

// lags remembers for a moment how far the views are behind the store. It is safe for concurrent use.
type lags struct {
	progress Progress
	now      func() time.Time

	refresh sync.Mutex
	mu      sync.Mutex
	at      time.Time
	known   map[string]time.Duration
}

// get returns the lags by view, without those that are not known. One caller asks anew, the others take what there is.
func (l *lags) get(ctx context.Context) map[string]time.Duration {
	l.mu.Lock()
	known, fresh := l.known, !l.at.IsZero() && l.now().Sub(l.at) < lagFresh
	l.mu.Unlock()
	if fresh || !l.refresh.TryLock() {
		return known
	}
	defer l.refresh.Unlock()
	ctx, cancel := context.WithTimeout(ctx, lagWait)
	defer cancel()
	known = nil
	if statuses, err := l.progress.Status(ctx); err == nil && statuses.Store == nil {
		known = make(map[string]time.Duration, len(statuses.Views))
		for _, s := range statuses.Views {
			known[s.View] = s.Lag.Age
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at, l.known = l.now(), known
	return known
}
