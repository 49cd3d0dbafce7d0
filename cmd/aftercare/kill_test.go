package main_test

import (
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/projections/feed"
)

// kills is how often the import is killed before it is let through.
const kills = 4

func TestKillDuringImport(t *testing.T) {
	t.Parallel()
	args := []string{"import", "--mapping", "bpic2013", shared(t, "bpic2013/07_bpic2013_incidents.xes.gz")}
	undisturbed, killed := newPlace(t), newPlace(t)
	whole := undisturbed.run(args...).out.text()
	size := undisturbed.written()

	seed := uint64(time.Now().UnixNano()) //nolint:forbidigo // any number will do: it is told
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // not a secret
	for n := range kills {
		// Somewhere in each part of the way but the very last stretch, where nothing may be left to do.
		killed.killAt(killed.start(args...), size/10*9/kills*int64(n)+random.Int64N(size/10*9/kills))
	}
	said := killed.run(args...).out.text()
	if !strings.Contains(said, "7554 cases recorded (73087 facts)") || !strings.Contains(whole, "7554 cases recorded (73087 facts), 0 of them known before") {
		t.Errorf("undisturbed %q, after the kills %q", whole, said)
	}
	t.Log(said)

	want, got := undisturbed.history(), killed.history()
	if len(want) < 7554 {
		t.Errorf("%d streams, want one a case at least", len(want))
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("the log, undisturbed against killed (-want +got):\n%.4000s", diff)
	}
	checked := killed.run("rebuild", "--check").out.text()
	if strings.Count(checked, "equal ") < 4 || strings.Contains(checked, "DIFFERENT") {
		t.Errorf("rebuild --check said %s", checked)
	}
	t.Log(checked)
}

// written is how many bytes the event node's files hold.
func (p *place) written() (size int64) {
	_ = filepath.WalkDir(filepath.Join(p.data, "events"), func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // it is not there yet
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return nil
	})
	return size
}

// killAt kills a program and the database when the node has written so much, or lets it end.
func (p *place) killAt(r *process, size int64) {
	p.tb.Helper()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-r.done:
			p.tb.Logf("had ended before %d bytes were written", size)
			return
		case <-look.C:
			if p.written() >= size {
				p.tb.Logf("killed at %d bytes", p.written())
				p.killPostgres()
				r.kill()
				return
			}
		}
	}
}

// history reads the whole log with the official client: the types of the events of each stream, in order.
func (p *place) history() map[string][]string {
	p.tb.Helper()
	node := p.start("eventnode")
	log := &feed.Log{URL: node.says(`listens at (\S+)`)}
	all := map[string][]string{}
	for r, err := range log.Read(p.tb.Context(), domain.Position{}) {
		if err != nil {
			p.tb.Fatal(err)
		}
		if int(r.Revision) != len(all[r.Stream]) { //nolint:gosec // as many as fit in memory
			p.tb.Fatalf("%s has a %s at revision %d, want %d", r.Stream, r.Type, r.Revision, len(all[r.Stream]))
		}
		all[r.Stream] = append(all[r.Stream], r.Type)
	}
	if code := node.interrupt(); code != 0 {
		p.tb.Errorf("the node ended with %d", code)
	}
	return all
}
