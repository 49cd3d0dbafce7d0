package main_test

import (
	"encoding/json"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

func TestSecondStart(t *testing.T) {
	t.Parallel()
	const everything = `{ tickets(first: 100, order: {field: NUMBER}) { totalCount nodes { number revision phase facts receivedAt clocks { clock state due } } } }`
	p := newPlace(t)
	a := p.up()
	p.run("demo", "--cases", "60", "--until", "2026-03-02")
	want := data[json.RawMessage](t, a, everything, nil)

	began := time.Now() //nolint:forbidigo // how long it takes is what is asked
	if code := a.interrupt(); code != 0 {
		t.Errorf("Ctrl-C: exit code %d, want 0", code)
	}
	t.Log("stopped after", time.Since(began)) //nolint:forbidigo // see above
	if left := p.alive(); len(left) > 0 {
		t.Errorf("after Ctrl-C there is still %q", left)
	}

	began = time.Now() //nolint:forbidigo // see above
	a = p.up()
	got := data[json.RawMessage](t, a, everything, nil)
	took := time.Since(began) //nolint:forbidigo // see above
	t.Log("the second start answers after", took)
	if took > 20*time.Second { // 5 s on a machine that does nothing else
		t.Errorf("the second start took %s", took)
	}
	if diff := gocmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("the second start (-want +got):\n%s", diff)
	}

	a.kill() // the database goes on
	a = p.up()
	if diff := gocmp.Diff(string(want), string(data[json.RawMessage](t, a, everything, nil))); diff != "" {
		t.Errorf("after kill -9 of the program (-want +got):\n%s", diff)
	}

	p.killPostgres()
	a.kill()
	a = p.up()
	if diff := gocmp.Diff(string(want), string(data[json.RawMessage](t, a, everything, nil))); diff != "" {
		t.Errorf("after kill -9 of everything (-want +got):\n%s", diff)
	}
}

func TestAServiceThatIsStoppedWhileItStartsHasNotFailed(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a := p.start("--eventstore-url", "esdb://127.0.0.1:1?tls=false", "--postgres-url", "postgres://nobody@127.0.0.1:1/nothing", "project")
	a.errSays(`postgres cannot be reached`)
	if code := a.interrupt(); code != 0 {
		t.Errorf("exit code %d: %s", code, a.err.text())
	}
}
