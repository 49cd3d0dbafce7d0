package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"time"

	"aftercare/deploy/localpg"
)

// stopTimeout bounds the shutdown of the database.
const stopTimeout = 20 * time.Second

// restartPause lies between attempts to start a database that ended by itself.
const restartPause = time.Second

// database is the private Postgres. When its server ends by itself it is started again, at the same address; the views wait meanwhile.
type database struct {
	cluster *localpg.Cluster
	options localpg.Options
	logger  *slog.Logger
	cancel  context.CancelFunc
	ended   chan struct{}
}

func (c *config) startPostgres(ctx context.Context, s *stores) (string, error) {
	if _, err := localpg.Find(); err != nil { //nolint:contextcheck // asking a program for its version takes milliseconds
		if _, missing := errors.AsType[*localpg.NotFoundError](err); !missing {
			return "", err
		}
		fmt.Fprintln(c.out, "Postgres is not installed; installing it with the system's package manager …")
		if err := localpg.Install(ctx, c.out); err != nil {
			return "", err
		}
	}
	d := &database{options: localpg.Options{Dir: c.path("postgres"), Logger: c.logger}, logger: c.logger, ended: make(chan struct{})}
	var err error
	if d.cluster, err = localpg.Start(ctx, d.options); err != nil {
		return "", err
	}
	address := d.cluster.URL()
	if u, err := url.Parse(address); err == nil {
		d.options.Port, _ = strconv.Atoi(u.Port()) // 0 lets it choose
	}
	ctx, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go d.watch(ctx)
	s.stop = append(s.stop, d.stop)
	return address, nil
}

// watch starts the server again whenever it ends, until ctx does.
func (d *database) watch(ctx context.Context) {
	defer close(d.ended)
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.cluster.Done():
		}
		d.logger.ErrorContext(ctx, "the database ended by itself, starting it again")
		if err := d.cluster.Stop(ctx); err != nil { // it gives up what it held
			d.logger.WarnContext(ctx, "what the database left behind", "error", err)
		}
		for !d.again(ctx) {
			if pause(ctx, restartPause) != nil {
				return
			}
		}
	}
}

// again tries to start the server.
func (d *database) again(ctx context.Context) bool {
	cluster, err := localpg.Start(ctx, d.options)
	if err != nil {
		d.logger.ErrorContext(ctx, "the database does not start, trying again", "error", err)
		return false
	}
	d.cluster = cluster
	d.logger.WarnContext(ctx, "the database runs again")
	return true
}

// pause waits, or returns the context's error.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *database) stop() error {
	d.cancel()
	<-d.ended
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return d.cluster.Stop(ctx)
}
