package graph_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercare/graph"
	"aftercare/projections/facet"
)

// down is a database nobody can connect to.
type down struct{ facet.DB }

func (down) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
}

// broken is a database with a fault we did not think of.
type broken struct{ facet.DB }

func (broken) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return nil, errors.New("a secret of the server")
}

func TestUnknownErrorsStayInside(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *graph.Config) { c.DB = broken{c.DB} })
	a := b.ask("{tickets {nodes {id}}}", nil)
	if len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "internal" || strings.Contains(a.Errors[0].Message, "secret") {
		t.Errorf("got %+v", a.Errors)
	}
}

// slow is a database that never answers.
type slow struct{ facet.DB }

func (slow) Query(ctx context.Context, _ string, _ ...any) (pgx.Rows, error) {
	<-ctx.Done()
	return nil, fmt.Errorf("read cases: %w", ctx.Err())
}

func TestOperationsHaveADeadline(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *graph.Config) { c.DB, c.Deadline = slow{c.DB}, 300*time.Millisecond })
	a := b.ask("{tickets {nodes {id}}}", nil)
	if len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "operation.timeout" || a.Errors[0].Extensions["retryable"] != true {
		t.Errorf("got %+v", a.Errors)
	}
}
