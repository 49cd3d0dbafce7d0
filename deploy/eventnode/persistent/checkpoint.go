package persistent

import "time"

// finished returns the last position below which everything is finished, and how many events that covers.
func (g *Group) finished() (position, seen int64) {
	if first := g.open.Front(); first != nil {
		m := value(first)
		return m.before, m.seen
	}
	return g.through, g.seen
}

// Finished is the last position below which everything is finished.
func (g *Group) Finished() int64 {
	position, _ := g.finished()
	return position
}

// Saved is the checkpoint on disk.
func (g *Group) Saved() int64 { return g.saved }

// checkpoint asks for a checkpoint when one is due: when enough events are finished, or some are and the
// last one is old. One is written at a time.
func (g *Group) checkpoint(now time.Time, tick bool) {
	position, seen := g.finished()
	n := seen - g.savedSeen
	if g.saving || n <= 0 || position <= g.saved {
		return
	}
	old := g.settings.CheckpointAfter > 0 && now.Sub(g.savedAt) >= g.settings.CheckpointAfter
	if n < int64(g.settings.MaxCheckpointCount) && (!tick || !old || n < int64(g.settings.MinCheckpointCount)) {
		return
	}
	g.saving, g.savingSeen = true, seen
	g.out.Checkpoint = &position
}

// CheckpointSaved says that a checkpoint is on disk.
func (g *Group) CheckpointSaved(now time.Time, position int64) Effects {
	g.saving, g.saved, g.savedSeen, g.savedAt = false, position, g.savingSeen, now
	return g.done(now)
}

// CheckpointFailed says that a checkpoint could not be written. A tick tries again.
func (g *Group) CheckpointFailed() { g.saveFailed = true }
