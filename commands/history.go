package commands

import (
	"context"
	"fmt"
	"strconv"

	"aftercare/domain"
)

// history is a stream as one command sees it.
type history[E domain.Event] struct {
	// before are the events up to the first of this command, all of them when it was never carried out.
	before []E
	// length counts all events, last is where the latest is.
	length uint64
	last   Receipt
	// done counts the events of this command; first is the receipt it had, hash its body.
	done  int
	first Receipt
	hash  string
}

// expected is the revision an append must find.
func (p *history[E]) expected() Expected {
	if p.length == 0 {
		return NoStream
	}
	return Expected(p.last.Revision) //nolint:gosec // revisions are below 2^63
}

// next is the first revision that is not known yet.
func (p *history[E]) next() uint64 {
	if p.length == 0 {
		return 0
	}
	return p.last.Revision + 1
}

// load reads on from where p ends.
func (h Handler[S, C, E]) load(ctx context.Context, stream string, command domain.UUID, p *history[E]) error {
	for r, err := range h.Log.Read(ctx, stream, p.next()) {
		if err != nil {
			return err
		}
		e, known := r.Event.(E)
		if !known {
			return fmt.Errorf("fold %s at %d: %w: %s", stream, r.Revision, ErrUnknownType, r.Type)
		}
		p.length++
		p.last = Receipt{Revision: r.Revision, Position: r.Position}
		if r.Metadata.CommandID == command {
			p.done++
			p.first = Receipt{Revision: r.Revision, Position: r.Position, Repeated: true}
			p.hash = r.Metadata.CommandHash
		}
		if p.done == 0 {
			p.before = append(p.before, e)
		}
	}
	return nil
}

// stale refuses when the stream is not at the revision the caller has seen.
func stale[E domain.Event](expected *uint64, p *history[E]) error {
	if expected == nil || p.length > 0 && p.last.Revision == *expected {
		return nil
	}
	actual := "none"
	if p.length > 0 {
		actual = strconv.FormatUint(p.last.Revision, 10)
	}
	return domain.Refuse(domain.Conflict, "revision.stale",
		"expected", strconv.FormatUint(*expected, 10), "actual", actual)
}
