package clock_test

import (
	"testing"

	"aftercare/domain/clock"
)

// Pauses are appended in place, so that a case with a thousand of them is folded in time that grows with their number, not with its
// square: two boards must not append to the same array.
func TestACloneGoesItsOwnWay(t *testing.T) {
	t.Parallel()
	pause := func(b clock.Board, from, to string) clock.Board {
		return b.Evolve(clock.Paused{At: at(from), Instance: 1}).Evolve(clock.Resumed{At: at(to), Instance: 1})
	}
	board := clock.Board{}.Evolve(clock.Started{Instance: 1})
	want := clock.Instance{Number: 1}
	for _, hour := range []string{"09", "10", "11", "12", "13"} { // whatever the capacity of an array of so many
		from, to := "03-02 "+hour+":00", "03-02 "+hour+":30"
		copied := board.Clone()
		board = pause(board, from, to)
		pause(copied, from, "03-02 "+hour+":45")
		want.Pauses = append(want.Pauses, span(from, to))
		same(t, board.Instances, []clock.Instance{want})
	}
}
