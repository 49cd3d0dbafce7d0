package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Options says how a pool is opened. The zero value is useful.
type Options struct {
	// ApplicationName is what the server's own views call this program. Defaults to "aftercare".
	ApplicationName string
	// MaxConns bounds the pool. Defaults to what the address says (pool_max_conns), and else to 16: every view takes one while it is written, and
	// so does every query.
	MaxConns int32
	// Wait is how long to keep trying to reach the server. Defaults to 30 seconds; negative tries once.
	Wait time.Duration
	// Logger defaults to one that discards.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.ApplicationName == "" {
		o.ApplicationName = "aftercare"
	}
	if o.Wait == 0 {
		o.Wait = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// maxConns bounds a pool whose address does not.
const maxConns = 16

// pingTimeout is how long a connection that was not used for a while may take to answer. Then it is taken for dead, and replaced.
const pingTimeout = 3 * time.Second

const (
	firstDelay = 100 * time.Millisecond
	lastDelay  = 5 * time.Second
)

// Open returns a pool of connections to the server at url, once that has answered. It tries again, ever less often, while the server
// cannot be reached or is starting, and returns at once when the server refuses: a wrong password, no such database.
func Open(ctx context.Context, url string, o Options) (*pgxpool.Pool, error) {
	o = o.withDefaults()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("address of postgres: %w", err)
	}
	switch {
	case o.MaxConns > 0:
		config.MaxConns = o.MaxConns
	case !strings.Contains(url, "pool_max_conns"):
		config.MaxConns = maxConns
	}
	if config.PingTimeout == 0 {
		config.PingTimeout = pingTimeout
	}
	config.ConnConfig.RuntimeParams["application_name"] = o.ApplicationName
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	config.AfterConnect = inUTC

	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open postgres: %w", err)
	}
	if err := await(ctx, pool, o); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to postgres: %w", err)
	}
	return pool, nil
}

// inUTC makes scanned instants UTC; pgx would give them in the machine's zone.
func inUTC(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// await pings until the server answers.
func await(ctx context.Context, pool *pgxpool.Pool, o Options) error {
	deadline := time.NewTimer(max(o.Wait, 0))
	defer deadline.Stop()
	for delay := firstDelay; ; delay = min(2*delay, lastDelay) {
		err := pool.Ping(ctx)
		if err == nil || o.Wait < 0 || refused(err) {
			return err
		}
		o.Logger.WarnContext(ctx, "postgres cannot be reached, trying again", "error", err, "delay", delay)
		next := time.NewTimer(delay)
		select {
		case <-next.C:
		case <-deadline.C:
			next.Stop()
			return err
		case <-ctx.Done():
			next.Stop()
			return errors.Join(ctx.Err(), err)
		}
	}
}

// refused reports whether the server answered, and with something that time does not mend.
func refused(err error) bool {
	var answer *pgconn.PgError
	if !errors.As(err, &answer) {
		return false
	}
	const operatorIntervention, insufficientResources = "57", "53"
	class := answer.Code[:2]
	return class != operatorIntervention && class != insufficientResources
}
