package catalog_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const frozen = "testdata/SHA256SUMS"

// TestStoredPayloadsAreNeverEdited holds every payload file against its digest. Somewhere there is a log with such events: what
// is stored differently is a new version of its type, with a file of its own. UPDATE=1 adds the digests of new files and changes none.
func TestStoredPayloadsAreNeverEdited(t *testing.T) {
	t.Parallel()
	listed, err := os.ReadFile(frozen)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(listed)) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if _, twice := sums[name]; !ok || twice {
			t.Fatalf("%s: cannot use the line %q", frozen, line)
		}
		sums[name] = sum
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		files[i] = filepath.Base(file)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256(data)
		switch sum, ok := sums[files[i]]; {
		case !ok && *update:
			listed = append(listed, hex.EncodeToString(digest[:])+"  "+files[i]+"\n"...)
		case !ok:
			t.Errorf("%s is not in %s: UPDATE=1 adds it", file, frozen)
		case sum != hex.EncodeToString(digest[:]):
			t.Errorf("%s was edited; events are stored like that. Add a new version of the type instead", file)
		}
	}
	for name := range sums {
		if !slices.Contains(files, name) {
			t.Errorf("testdata/%s is gone; events of its type are still stored", name)
		}
	}
	if *update {
		if err := os.WriteFile(frozen, listed, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNoCommitEditedAStoredPayload asks the history, which whoever edits a file and its digest together does not change.
func TestNoCommitEditedAStoredPayload(t *testing.T) {
	t.Parallel()
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "git", args...).Output() //nolint:gosec // the arguments are below
		if err != nil {
			t.Skipf("no history here: git %s: %v", args[0], err)
		}
		return strings.TrimSpace(string(out))
	}
	if git("rev-parse", "--is-shallow-repository") != "false" {
		t.Skip("the history here is not whole")
	}
	edits := git("log", "-m", "--diff-filter=MDR", "--format=%h %s", "--name-only", "--", ":(glob)testdata/*.json")
	if edits != "" {
		t.Errorf("stored payloads were edited or removed by\n%s", edits)
	}
}
