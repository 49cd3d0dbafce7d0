package commands_test

import (
	"context"
	"iter"
	"testing"

	"aftercare/commands"
	"aftercare/commands/logtest"
	"aftercare/domain"
)

// A command that lost a race decides on what is new, not on the whole history once more: on a long stream it would lose again.
func TestALostRaceReadsOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	const length = 50
	memory := newLog()
	others := newHandler(memory)
	do := must(t)
	do(others.Handle(t.Context(), "1", open{At: day}, meta(1)))
	for i := range byte(length - 1) {
		do(others.Handle(t.Context(), "1", add{At: day, N: 1}, meta(2+i)))
	}
	won := byte(0)
	log := &contended{Memory: memory, before: func() {
		if won < 3 {
			won++
			do(others.Handle(t.Context(), "1", add{At: day, N: 10}, meta(100+won)))
		}
	}}
	do(newHandler(log).Handle(t.Context(), "1", add{At: day, N: 20}, meta(200)))
	_, err := newHandler(log).Handle(t.Context(), "1", add{At: day, N: 2}, meta(201))
	wantRefusal(t, err, errTooMuch) // 49 + 30 + 20 + 2
	if want := (length + 3) + (length + 4); log.events != want {
		t.Errorf("%d events were read by two commands, one of which lost thrice; want %d", log.events, want)
	}
}

// contended counts the events it reads, and lets something happen before it appends.
type contended struct {
	*logtest.Memory
	before func()
	events int
}

func (c *contended) Read(ctx context.Context, stream string, from uint64) iter.Seq2[domain.Recorded, error] {
	return func(yield func(domain.Recorded, error) bool) {
		for r, err := range c.Memory.Read(ctx, stream, from) {
			c.events++
			if !yield(r, err) {
				return
			}
		}
	}
}

func (c *contended) Append(ctx context.Context, stream string, expected commands.Expected, events []commands.Proposed) (commands.Receipt, error) {
	c.before()
	return c.Memory.Append(ctx, stream, expected, events)
}
