package projections_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/projections"
	"aftercare/projections/fold"
)

// refusing is the sums view, which refuses 13 with an error.
func refusing(t *testing.T, refusal error) projections.View {
	t.Helper()
	v, ok := sums(nil).(*fold.View[sum])
	if !ok {
		t.Fatal("sums are no fold")
	}
	add := v.Fold
	v.Fold = func(rows []sum, e domain.Recorded) ([]sum, error) {
		if a, ok := e.Event.(added); ok && a.N == refused {
			return rows, fmt.Errorf("fold: %w", refusal)
		}
		return add(rows, e)
	}
	return v
}

// They look like those of a connection, and are about what an event says.
func TestErrorsOfAnEventAreNotWaitedOut(t *testing.T) {
	t.Parallel()
	noURL := &url.Error{Op: "parse", URL: "http://[::1", Err: errors.New("missing ']' in host")}
	_, _, noNetwork := net.ParseCIDR("10.0.0.0/99")
	for name, refusal := range map[string]error{
		"its payload ends too early": io.ErrUnexpectedEOF, "no url": noURL, "no network": noNetwork,
		"it repeats a text": fmt.Errorf("unknown channel %q", "conn closed"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, refusing(t, refusal))
			b.start(b.runner())
			b.add("sum-1", 1, refused)
			b.wait(b.add("sum-2", 2), "sums")
			if got := b.parked(); got != 1 {
				t.Errorf("got %d parked events, want 1", got)
			}
			if diff := cmp.Diff([]sum{{"sum-1", 1, 1, 0}, {"sum-2", 1, 2, 0}}, query[sum](b, `select * from view_sums.sum order by 1`)); diff != "" {
				t.Errorf("sums, -want +got:\n%s", diff)
			}
		})
	}
}
