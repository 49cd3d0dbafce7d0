package eventnode_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/deploy/eventnode"
)

// TestConformance runs the official client's own tests against two nodes. It takes minutes and
// downloads modules of its own, so it runs only when AFTERCARE_CONFORMANCE is set.
func TestConformance(t *testing.T) {
	t.Parallel()
	if os.Getenv("AFTERCARE_CONFORMANCE") == "" {
		t.Skip("AFTERCARE_CONFORMANCE is not set")
	}
	script, err := filepath.Abs("../../../shared/esdb-conformance/run.sh")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(script); err != nil {
		t.Skipf("the client's own tests are not here: %v", err)
	}
	empty := start(t, eventnode.Options{Dir: t.TempDir()})
	populated := start(t, eventnode.Options{Dir: t.TempDir()})
	c := connect(t, populated)
	for i := range 60 {
		batch := make([]esdb.EventData, 100)
		for j := range batch {
			batch[j] = event(fmt.Sprintf(`{"n":%d}`, i*100+j))
		}
		put(t, c, "dataset20M-0", esdb.Any{}, batch...)
	}
	cmd := exec.CommandContext(t.Context(), script, //nolint:gosec // the path is fixed above
		"-skip", "TestExpectations|TestProjections|TestPlugins|/SubscriptionTests/allSubscriptionWithFilter|/ReadStreamTests/readStreamEvents(Forwards|Backwards)")
	cmd.Env = append(os.Environ(), "ESDB_TEST_ENDPOINT="+empty.Addr(), "ESDB_TEST_POPULATED_ENDPOINT="+populated.Addr())
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	for group, want := range map[string]int{"TestStreams": 17, "TestPersistentSubscriptions": 36} {
		passed := regexp.MustCompile(`(?m)^ +--- PASS: `+group+`/\w+/\w+ `).FindAll(out, -1)
		if len(passed) != want {
			t.Errorf("%s: %d cases pass, want %d", group, len(passed), want)
		}
	}
}
