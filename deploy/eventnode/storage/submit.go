package storage

import (
	"context"
	"errors"
)

// errMetastream is that of a request that would leave metadata without a place.
var errMetastream = errors.New("a metadata stream cannot be deleted")

// Write makes one atomic change and returns once it is on disk and visible. When ctx ends first the outcome is
// unknown. The verdict says whether the change was refused; an error says that the store could not decide.
func (s *Store) Write(ctx context.Context, q *Request) (Result, error) {
	p, err := s.Submit(ctx, q)
	if err != nil {
		return Result{}, err
	}
	select {
	case res := <-p.Done():
		return res, res.err
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// Submit hands over a change without waiting for it. Changes are decided in the order in which they were submitted.
// It blocks while the writer has too many to do, and q must not be touched afterwards.
func (s *Store) Submit(ctx context.Context, q *Request) (*Pending, error) {
	if q.Kind != Append && IsMetastream(q.Stream) {
		return nil, errMetastream
	}
	return s.writer.submit(ctx, q)
}

// Pending is a change that the writer has been asked for.
type Pending struct{ done <-chan Result }

// Done returns the channel on which the result arrives, once.
func (p *Pending) Done() <-chan Result { return p.done }

// Err says why the store could not decide about a change, or is nil.
func (r Result) Err() error { return r.err }
