package postgres_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/deploy/faultproxy/faultproxytest"
	"aftercare/deploy/localpg/localpgtest"
	"aftercare/projections/postgres"
)

func TestConnectionsSayWhoTheyAreAndSpeakUTC(t *testing.T) {
	t.Parallel()
	pool, err := postgres.Open(t.Context(), localpgtest.URL(t), postgres.Options{ApplicationName: "reader"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)

	var name, zone string
	var at time.Time
	if err := pool.QueryRow(t.Context(), `SELECT current_setting('application_name'), current_setting('timezone'),
		'2024-03-31T02:30:00+02:00'::timestamptz`).Scan(&name, &zone, &at); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"reader", "UTC", "UTC"}, []string{name, zone, at.Location().String()}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestARefusalIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	address, err := url.Parse(localpgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	address.Path = "nowhere"
	// Trying again for a day would outlast the test.
	_, err = postgres.Open(t.Context(), address.String(), postgres.Options{Wait: 24 * time.Hour})
	var answer *pgconn.PgError
	if !errors.As(err, &answer) || answer.Code != "3D000" {
		t.Errorf("got %v, want the server's refusal", err)
	}
}

func TestAServerThatStartsLateIsWaitedFor(t *testing.T) {
	t.Parallel()
	// The first connection is dropped, as by a server that is not up yet; the later ones reach the real server.
	server, err := url.Parse(localpgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	front := late(t, server.Host)
	server.Host = front
	pool, err := postgres.Open(t.Context(), server.String(), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	pool.Close()
}

func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	listener := listen(t)
	closed := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for name, wait := range map[string]time.Duration{"at once": -1, "after the wait": time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, err := postgres.Open(t.Context(), "postgres://nobody@"+closed+"/none?sslmode=disable", postgres.Options{Wait: wait})
			if err == nil {
				pool.Close()
				t.Error("connected to a server that is not there")
			}
		})
	}
}

// As when a firewall forgot the connection while it was idle.
func TestAConnectionThatIsNeverAnsweredIsReplaced(t *testing.T) {
	t.Parallel()
	server, err := url.Parse(localpgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	proxy := faultproxytest.Listen(t, server.Host)
	server.Host = proxy.Addr()
	opened, err := postgres.Open(t.Context(), server.String(), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	opened.Close()
	config := opened.Config()
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return true } // not only what was idle for a second
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	defer proxy.Reset() // or closing the pool takes its time
	if err := pool.Ping(t.Context()); err != nil || proxy.Strand() == 0 {
		t.Fatal("there is no connection:", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := pool.Ping(ctx); err != nil {
		t.Error(err)
	}
}

func listen(tb testing.TB) net.Listener {
	tb.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	return listener
}
