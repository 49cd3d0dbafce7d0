package metric_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"aftercare/deploy/localpg/localpgtest"
	"aftercare/domain/catalog"
	"aftercare/projections/metric"
	"aftercare/projections/postgres"
)

// ordinary returns a bench on a database whose owner, as in production, is no superuser but has so many rights.
func ordinary(tb testing.TB, rights string) bench {
	tb.Helper()
	address := localpgtest.URL(tb)
	admin, err := postgres.Open(tb.Context(), address, postgres.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(admin.Close)
	role := "owner_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if _, err := admin.Exec(tb.Context(), "create role "+role+" login password 'secret' "+rights+`;
		do $$ begin execute format('alter database %I owner to `+role+`', current_database()); end $$; alter schema public owner to `+role); err != nil {
		tb.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		tb.Fatal(err)
	}
	u.User = url.UserPassword(role, "secret")
	pool, err := postgres.Open(tb.Context(), u.String(), postgres.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(pool.Close)
	if err := postgres.Migrate(tb.Context(), pool); err != nil {
		tb.Fatal(err)
	}
	return bench{tb, pool, &metric.Store{Pool: pool}}
}

func TestADatabaseUserThatIsNoSuperuserWillDo(t *testing.T) {
	t.Parallel()
	b := ordinary(t, "createrole")
	d, err := metric.New(manifest, create, apply)
	if err != nil {
		t.Fatal(err)
	}
	events := sample(t)
	for range 2 {
		if _, err := metric.Check(t.Context(), b.pool, d, catalog.Codec().Names(), events); err != nil {
			t.Fatal(err)
		}
		b.install(d, cut(events, 7)...)
		if got := b.rows("select sum(events) > 10 from view_metric_tally.tally"); got[0] != "(t)" {
			t.Errorf("got %v", got)
		}
	}
	bad, err := metric.New(manifest, create, "select * from aftercare.metric")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := metric.Check(t.Context(), b.pool, bad, catalog.Codec().Names(), events); !errors.Is(err, metric.ErrInvalid) || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("got %v, want it refused", err)
	}
	if err := b.store.Drop(t.Context(), "tally"); err != nil {
		t.Error(err)
	}
}

func TestADatabaseUserWithoutTheRightIsToldWhatToAskFor(t *testing.T) {
	t.Parallel()
	b := ordinary(t, "")
	d, err := metric.New(manifest, create, apply)
	if err != nil {
		t.Fatal(err)
	}
	_, err = metric.Check(t.Context(), b.pool, d, catalog.Codec().Names(), nil)
	if !errors.Is(err, metric.ErrRoles) || !strings.Contains(err.Error(), "createrole") {
		t.Errorf("got %v, want %v", err, metric.ErrRoles)
	}
}
