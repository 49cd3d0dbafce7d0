package storage

import (
	"context"
	"hash"
	"io"
)

const (
	rewriteBuffer = 1 << 20
	// holeMin is the shortest run worth leaving out: a shorter one has no whole block of a file system inside it.
	holeMin = 4 << 10
	// pollRecords is how many records are handled before the context is asked again.
	pollRecords = 1 << 10
)

// walk calls visit for every record and filler in [from, to) with the bytes that are stored; of a filler only the header.
// Everything is verified: a *CorruptError names what is damaged.
func walk(ctx context.Context, l *eventLog, from, to uint64, visit func(r *Record, raw []byte) error) error {
	rd := newReader(l, to)
	for n := 0; from < to; n++ {
		if n%pollRecords == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r, err := rd.at(from)
		if err != nil {
			return damage(from, err)
		}
		size := r.size
		if r.filler() {
			if err := rd.fillerEnds(r.run()); err != nil {
				return damage(from, err)
			}
			size = recordHeader
		}
		raw, err := rd.window(from, size)
		if err != nil {
			return damage(from, err)
		}
		if err := visit(&r, raw); err != nil {
			return err
		}
		from = r.Next()
	}
	return nil
}

// rewriter writes a log anew, with every record where it stood and holes where something is left out.
type rewriter struct {
	to   io.WriterAt
	sum  hash.Hash       // of all bytes, those of holes too, or nil
	left func(run) error // told each run that is left out, or nil
	buf  []byte
	at   uint64 // position of buf[0]
	run  run    // left out and not written yet; none when it has no end
}

func newRewriter(to io.WriterAt, at uint64) *rewriter {
	return &rewriter{to: to, at: at, buf: make([]byte, 0, rewriteBuffer)}
}

// keep writes the bytes that stand behind what was written last.
func (w *rewriter) keep(raw []byte) error {
	if err := w.endRun(); err != nil {
		return err
	}
	return w.put(raw)
}

// drop leaves out a record, or a run that was left out before.
func (w *rewriter) drop(r run) error {
	if w.run.end > 0 && r.end-w.run.start > fillerMax {
		if err := w.endRun(); err != nil {
			return err
		}
	}
	if w.run.end == 0 {
		w.run.start = r.start
	}
	w.run.end = r.end
	w.run.events += r.events
	return nil
}

// endRun writes the filler of the run that is open, if any.
func (w *rewriter) endRun() error {
	r := w.run
	if r.end == 0 {
		return nil
	}
	w.run = run{}
	if err := w.put(appendFillerHead(nil, r)); err != nil {
		return err
	}
	if err := w.skip(r.size() - recordHeader - 4); err != nil {
		return err
	}
	if err := w.put(fillerTail(r)); err != nil || w.left == nil {
		return err
	}
	return w.left(r)
}

func (w *rewriter) put(b []byte) error {
	w.buf = append(w.buf, b...)
	if len(w.buf) < rewriteBuffer {
		return nil
	}
	return w.flush()
}

// skip leaves n bytes that read as zeros.
func (w *rewriter) skip(n uint64) error {
	if n < holeMin {
		return w.put(make([]byte, n))
	}
	if err := w.flush(); err != nil {
		return err
	}
	w.at += n
	if w.sum == nil {
		return nil
	}
	_, err := io.CopyN(w.sum, zeros{}, int64(n)) //nolint:gosec // at most fillerMax
	return err
}

// finish writes everything that is still in memory and returns where the log ends.
func (w *rewriter) finish() (uint64, error) {
	if err := w.endRun(); err != nil {
		return 0, err
	}
	err := w.flush()
	return w.at, err
}

func (w *rewriter) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	if _, err := w.to.WriteAt(w.buf, int64(w.at)); err != nil { //nolint:gosec // files are smaller than that
		return err
	}
	if w.sum != nil {
		_, _ = w.sum.Write(w.buf) // never fails
	}
	w.at += uint64(len(w.buf))
	w.buf = w.buf[:0]
	return nil
}

// zeros reads as what is in a hole.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
