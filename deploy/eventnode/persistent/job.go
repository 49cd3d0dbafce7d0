package persistent

import "context"

// parkBatch is how many events are put aside with one write. All that a consumer had may have to go at once, and an
// append holds only so much.
const parkBatch = 1000

// job is what a group writes in one go, beside its loop.
type job struct {
	park       []Parking
	checkpoint *int64
	truncate   *int64
}

// outcome says what became of a job.
type outcome struct {
	job
	parkErr, checkpointErr, truncateErr error
}

func (j job) empty() bool { return len(j.park) == 0 && j.checkpoint == nil && j.truncate == nil }

// next takes out of the pending job what is to be written now.
func (r *Runner) next() job {
	j := r.pending
	if len(j.park) > parkBatch { // the rest waits with what comes after all of it
		r.pending.park = j.park[parkBatch:]
		return job{park: j.park[:parkBatch:parkBatch]}
	}
	r.pending = job{}
	return j
}

// write starts the pending job if none runs.
func (r *Runner) write(ctx context.Context) {
	if r.writing || r.pending.empty() {
		return
	}
	j := r.next()
	r.writing = true
	r.writer.Go(func() { r.written <- r.do(context.WithoutCancel(ctx), j) })
}

// do writes a job: what is to be parked first, so that no checkpoint and no end of a replay passes it.
func (r *Runner) do(ctx context.Context, j job) outcome {
	res := outcome{job: j}
	if len(j.park) > 0 {
		res.parkErr = r.o.Log.Park(ctx, j.park)
	}
	if j.checkpoint != nil {
		res.checkpointErr = r.o.Log.Checkpoint(ctx, *j.checkpoint)
	}
	if j.truncate != nil {
		res.truncateErr = r.o.Log.Truncate(ctx, *j.truncate)
	}
	for _, err := range []error{res.parkErr, res.checkpointErr, res.truncateErr} {
		if err != nil {
			r.o.Logger.WarnContext(ctx, "persistent subscription not written, to be tried again", "error", err)
		}
	}
	return res
}

// settle tells the group what became of a job.
func (r *Runner) settle(res outcome) {
	r.writing = false
	now := r.o.Now()
	if len(res.park) > 0 {
		numbers := make([]uint64, len(res.park))
		for i, p := range res.park {
			numbers[i] = p.Number
		}
		if res.parkErr == nil {
			r.apply(r.group.Parked(now, numbers...))
		} else {
			r.apply(r.group.ParkingFailed(now, numbers...))
		}
	}
	switch {
	case res.checkpoint == nil:
	case res.checkpointErr == nil:
		r.stored = true
		r.apply(r.group.CheckpointSaved(now, *res.checkpoint))
	default:
		r.group.CheckpointFailed()
	}
	switch {
	case res.truncate == nil:
	case res.truncateErr == nil:
		r.apply(r.group.Truncated(now, *res.truncate))
	default:
		r.group.TruncateFailed()
	}
}
