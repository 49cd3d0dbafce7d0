package projections

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/projections/feed"
)

// leases say which views this runner keeps: several runners on one database divide them. All reckon by the clock of the database. A lease
// only divides work; a runner that believes to have one that it lost is stopped by the checkpoint.
type leases struct {
	pool    *pgxpool.Pool
	id      uuid.UUID
	name    string
	ttl     time.Duration
	views   []View
	more    func(context.Context) ([]View, error)
	found   []View // what more said last
	log     *feed.Log
	lost    int // how many looks in a row found the log out of reach
	tracker *Tracker
	logger  *slog.Logger
	look    chan struct{} // asks for a tick now

	mu sync.Mutex
	// held are the views to keep, by name; running are those that a round keeps, and leaving those of them that are handed over as soon as it
	// has ended.
	held    map[string]kept
	running map[string]bool
	leaving []string
	changed chan struct{}
}

// kept is a view and its shape.
type kept struct {
	view  View
	shape string
}

// run registers, divides, and looks again every third of the time to live, until ctx ends.
func (l *leases) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := l.tick(ctx); err != nil && ctx.Err() == nil {
			l.logger.WarnContext(ctx, "leases not renewed", slog.Any("error", err))
		}
		timer := time.NewTimer(l.ttl / 3)
		select {
		case <-timer.C:
		case <-l.look:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// now asks for a look without waiting for the next.
func (l *leases) now() {
	select {
	case l.look <- struct{}{}:
	default:
	}
}

// current returns the views to keep, by name, and a channel that is closed when they are others. They are not handed over before settle.
func (l *leases) current() ([]View, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	views := make([]View, 0, len(l.held))
	l.running = make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(l.held)) {
		views = append(views, l.held[name].view)
		l.running[name] = true
	}
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	return views, l.changed
}

// keep sets what to keep and what to leave.
func (l *leases) keep(held map[string]kept, leaving []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	same := maps.EqualFunc(held, l.held, func(a, b kept) bool { return a.shape == b.shape })
	l.held, l.leaving = held, leaving
	if !same && l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}

// settle hands over what is no longer kept. It is called when no round is under way.
func (l *leases) settle(ctx context.Context) {
	l.mu.Lock()
	leaving := l.leaving
	l.leaving, l.running = nil, nil
	l.mu.Unlock()
	if len(leaving) == 0 {
		return
	}
	if _, err := l.pool.Exec(ctx, handOver, l.id, leaving); err != nil {
		l.logger.WarnContext(ctx, "leases run out, rather than being handed over", slog.Any("error", err))
	}
}

// handOver makes leases anybody's.
const handOver = `update aftercare.lease set holder = null, expires = '-infinity' where holder = $1 and view = any($2)`

// goodbye is how long a runner that stops waits for the database.
const goodbye = 2 * time.Second

// leave hands everything over.
func (l *leases) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `update aftercare.lease set holder = null, expires = '-infinity' where holder = $1`, l.id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `delete from aftercare.projector where id = $1`, l.id)
		return err
	})
	if err != nil {
		l.logger.WarnContext(ctx, "leases run out, rather than being handed over", slog.Any("error", err))
	}
}

// tick renews, takes and hands over leases.
func (l *leases) tick(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.ttl)
	defer cancel()
	if err := l.find(ctx); err != nil && ctx.Err() == nil { // the others do not wait for them
		l.logger.WarnContext(ctx, "further views not found", slog.String("error", reason(err)))
	}
	all := slices.Concat(l.views, l.found)
	l.reach(ctx)
	wanted := make(map[string]View, len(all))
	shapes := make(map[string]string, len(all))
	for _, v := range all {
		err := guard(func() error { shapes[v.Name()] = liveSlot(v).shape(); return nil })
		if err != nil { // a view that cannot tell its statements
			l.tracker.failing(v.Name(), err)
			continue
		}
		wanted[v.Name()] = v
	}
	var held map[string]kept
	var leaving []string
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		// Others wait for the rows of a runner that is stopped in the midst of this, and would lose their own leases meanwhile.
		if _, err := tx.Exec(ctx, `select set_config('idle_in_transaction_session_timeout', $1, true)`, milliseconds(l.ttl/2)); err != nil {
			return err
		}
		unfit, err := l.unfit(ctx, tx, shapes)
		if err != nil {
			return err
		}
		fit := maps.Clone(wanted)
		for _, name := range unfit {
			delete(fit, name)
		}
		mine, theirs, holders, err := l.divide(ctx, tx, slices.Sorted(maps.Keys(fit)))
		if err != nil {
			return err
		}
		held = make(map[string]kept)
		for _, name := range mine {
			held[name] = kept{fit[name], shapes[name]}
		}
		for name := range fit {
			if _, ok := held[name]; !ok {
				l.tracker.failing(name, nil) // whoever keeps it knows better
			}
		}
		leaving = theirs
		// Whoever keeps the others tells it. To lock their rows, too, would be to wait for each other.
		free := slices.DeleteFunc(unfit, func(name string) bool { return holders[name] != uuid.Nil && holders[name] != l.id })
		return l.tell(ctx, tx, mine, free)
	})
	if err != nil {
		return err
	}
	l.keep(held, leaving)
	return nil
}

// find asks for further views. Where they cannot be told they are those of the last time.
func (l *leases) find(ctx context.Context) error {
	if l.more == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, l.ttl/2)
	defer cancel()
	return guard(func() error {
		found, err := l.more(ctx)
		if err == nil {
			l.found = found
		}
		return err
	})
}

// lostLooks is how many looks in a row the log may be out of reach before others are to keep the views: twice the time to live.
const lostLooks = 6

// reach finds out whether the log can be reached. While a round is under way its subscription says so.
func (l *leases) reach(ctx context.Context) {
	if err := l.tracker.Connected(); err == nil || errors.Is(err, feed.ErrReplaced) { // it is the same for the others
		l.lost = 0
		return
	}
	l.lost++
	l.mu.Lock()
	keeps := len(l.held) > 0
	l.mu.Unlock()
	if keeps {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, l.ttl/3)
	defer cancel()
	if _, err := l.log.Head(ctx); err == nil {
		l.tracker.connected(nil)
	}
}

// unfit returns the views whose tables were made by other statements than this program's: they are for another program, or wait for a
// rebuild.
func (l *leases) unfit(ctx context.Context, tx pgx.Tx, shapes map[string]string) ([]string, error) {
	names, wanted := make([]string, 0, len(shapes)), make([]string, 0, len(shapes))
	for name, shape := range shapes {
		names, wanted = append(names, name), append(wanted, shape)
	}
	rows, err := tx.Query(ctx, `
		select c.view from aftercare.checkpoint c join unnest($1::text[], $2::text[]) w (view, shape) on w.view = c.view
		 where c.shape <> w.shape and (c.commit_position, c.prepare_position) <> (0, 0)
		   and exists (select from pg_catalog.pg_namespace n where n.nspname = $3 || c.view)`, names, wanted, Schema(""))
	if err != nil {
		return nil, err
	}
	unfit, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, name := range unfit {
		l.tracker.failing(name, ErrOutdated)
	}
	return unfit, err
}

// divide says that this runner is there and can keep some views. It returns those that are its own now, those that it has yet to hand
// over, and who had which before.
func (l *leases) divide(ctx context.Context, tx pgx.Tx, can []string) (mine, theirs []string, holders map[string]uuid.UUID, err error) {
	offered := can
	if l.lost > lostLooks {
		offered = []string{}
	}
	_, err = tx.Exec(ctx, `
		insert into aftercare.projector (id, name, views) values ($1, $2, $3)
		on conflict (id) do update set views = excluded.views, seen_at = clock_timestamp()`, l.id, l.name, offered)
	if err != nil {
		return nil, nil, nil, err
	}
	if _, err := tx.Exec(ctx, `delete from aftercare.projector where seen_at < clock_timestamp() - $1::interval`, l.ttl); err != nil {
		return nil, nil, nil, err
	}
	rows, err := tx.Query(ctx, `select id, views from aftercare.projector order by id`)
	if err != nil {
		return nil, nil, nil, err
	}
	runners, err := pgx.CollectRows(rows, pgx.RowToStructByPos[candidate])
	if err != nil {
		return nil, nil, nil, err
	}
	if holders, err = l.holders(ctx, tx); err != nil {
		return nil, nil, nil, err
	}
	assigned := assign(runners, holders)
	for _, name := range can { // what nobody else can keep either stays
		if holder, held := holders[name]; assigned[name] == uuid.Nil && (!held || holder == l.id) {
			assigned[name] = l.id
		}
	}
	var ask, idle []string
	for _, name := range can {
		switch {
		case assigned[name] == l.id, holders[name] == l.id && l.runs(name):
			ask = append(ask, name)
		case holders[name] == l.id:
			idle = append(idle, name)
		}
	}
	if _, err := tx.Exec(ctx, handOver, l.id, idle); err != nil {
		return nil, nil, nil, err
	}
	rows, err = tx.Query(ctx, `
		insert into aftercare.lease as l (view, holder, expires)
		select w, $1, clock_timestamp() + $3::interval from unnest($2::text[]) w order by w
		on conflict (view) do update set holder = excluded.holder, expires = excluded.expires
		 where l.holder = $1 or l.holder is null or l.expires <= clock_timestamp()
		returning view`, l.id, ask, l.ttl)
	if err != nil {
		return nil, nil, nil, err
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, name := range got {
		if assigned[name] == l.id {
			mine = append(mine, name)
		} else {
			theirs = append(theirs, name)
		}
	}
	return mine, theirs, holders, err
}

// holders returns who has which view.
func (*leases) holders(ctx context.Context, tx pgx.Tx) (map[string]uuid.UUID, error) {
	rows, err := tx.Query(ctx, `select view, holder from aftercare.lease where holder is not null and expires > clock_timestamp()`)
	if err != nil {
		return nil, err
	}
	var (
		holders = make(map[string]uuid.UUID)
		view    string
		holder  uuid.UUID
	)
	_, err = pgx.ForEachRow(rows, []any{&view, &holder}, func() error { holders[view] = holder; return nil })
	return holders, err
}

// runs reports whether a round keeps the view.
func (l *leases) runs(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running[name]
}

// tell keeps what holds views up where every process can read it.
func (l *leases) tell(ctx context.Context, tx pgx.Tx, mine, unfit []string) error {
	names := slices.Concat(mine, unfit)
	texts := make([]*string, len(names))
	for i, name := range names {
		if err := l.tracker.Failing(name); err != nil {
			text := clean(reason(err))
			texts[i] = &text
		}
	}
	_, err := tx.Exec(ctx, `
		insert into aftercare.lease as l (view, failing, failing_since)
		select view, failing, case when failing is not null then clock_timestamp() end from unnest($2::text[], $3::text[]) w (view, failing) order by 1
		on conflict (view) do update set failing = excluded.failing, failing_since = coalesce(l.failing_since, excluded.failing_since)
		 where l.failing is distinct from excluded.failing and (l.holder = $1 or l.holder is null or l.expires <= clock_timestamp())`,
		l.id, names, texts)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `update aftercare.lease set failing_since = null where failing is null and failing_since is not null and view = any($1)`, names)
	return err
}

// candidate is a runner and what it can keep.
type candidate struct {
	ID    uuid.UUID
	Views []string
}

// assign divides views among runners, evenly, so that as few as possible change hands. Every runner comes to the same result.
func assign(runners []candidate, holders map[string]uuid.UUID) map[string]uuid.UUID {
	can := make(map[string][]uuid.UUID)
	for _, r := range slices.SortedFunc(slices.Values(runners), func(a, b candidate) int { return cmp.Compare(a.ID.String(), b.ID.String()) }) {
		for _, name := range r.Views {
			can[name] = append(can[name], r.ID)
		}
	}
	names := slices.Sorted(maps.Keys(can))
	assigned := make(map[string]uuid.UUID, len(names))
	if len(runners) == 0 {
		return assigned
	}
	each, rest := len(names)/len(runners), len(names)%len(runners)
	load := make(map[uuid.UUID]int)
	for _, name := range names { // who has it keeps it, within a fair share
		holder, held := holders[name]
		if !held || !slices.Contains(can[name], holder) || load[holder] > each || load[holder] == each && rest == 0 {
			continue
		}
		if load[holder] == each {
			rest--
		}
		load[holder]++
		assigned[name] = holder
	}
	for _, name := range names {
		if _, ok := assigned[name]; ok {
			continue
		}
		least := slices.MinFunc(can[name], func(a, b uuid.UUID) int { return cmp.Compare(load[a], load[b]) })
		load[least]++
		assigned[name] = least
	}
	return assigned
}
