package localpg_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aftercare/deploy/localpg"
)

// program writes a folder with programs that call themselves Postgres of a version.
func program(tb testing.TB, version string) string {
	tb.Helper()
	dir := tb.TempDir()
	for _, name := range []string{"initdb", "postgres"} {
		script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil { //nolint:gosec // G306: it is a program
			tb.Fatal(err)
		}
	}
	return dir
}

func TestTheNamedFolderOfProgramsIsUsed(t *testing.T) {
	dir := program(t, "18.2 (Debian)")
	t.Setenv(localpg.BinEnv, dir)
	got, err := localpg.Find()
	if want := (localpg.Binaries{Dir: dir, Major: 18}); err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestAnOldPostgresIsRefused(t *testing.T) {
	t.Setenv(localpg.BinEnv, program(t, "14.9"))
	if got, err := localpg.Find(); err == nil || !strings.Contains(err.Error(), "too old") {
		t.Errorf("got %v, %v, want a refusal that says too old", got, err)
	}
}

func TestTheProgramsOfThePathComeFirst(t *testing.T) {
	dir := program(t, "16.1")
	t.Setenv(localpg.BinEnv, "")
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	got, err := localpg.Find()
	if err != nil {
		t.Fatal(err)
	}
	if got.Major != 16 {
		t.Errorf("got %v, want the one in %s", got, dir)
	}
}

func TestAClusterOfAnotherVersionIsNotStarted(t *testing.T) {
	dir := folder(t)
	stop(t, start(t, localpg.Options{Dir: dir}))
	t.Setenv(localpg.BinEnv, program(t, "99.0"))
	if _, err := localpg.Start(t.Context(), localpg.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "was made by Postgres") {
		t.Errorf("got %v, want a refusal that names the version", err)
	}
}

func TestAMachineWithoutPostgresIsToldWhatToType(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ system, manager, says string }{
		"Debian":           {"linux", "apt-get", "sudo apt-get update && sudo apt-get install postgresql"},
		"Fedora":           {"linux", "dnf", "sudo dnf install postgresql-server"},
		"macOS":            {"darwin", "brew", "brew install postgresql@17"},
		"macOS, no brew":   {"darwin", "", "https://brew.sh"},
		"an unknown Linux": {"linux", "", "package manager"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := localpg.Advice(test.system, func(program string) bool { return program == test.manager })
			if !strings.Contains(got, test.says) {
				t.Errorf("got %q, want it to say %q", got, test.says)
			}
		})
	}
	err := error(&localpg.NotFoundError{TooOld: 13})
	var missing *localpg.NotFoundError
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "only Postgres 13 was found") {
		t.Errorf("got %q, want it to say what was found", err)
	}
}
