package main_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the scripts of testdata/script. They share one running instance; a script that wants another data directory sets
// AFTERCARE_DATA to $OTHER. $AFTERCARE is the program.
//
// Beyond testscript's own commands there is "aftercare CODE ARGS…": it runs the program and wants that exit code.
func TestScripts(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.up()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			other, err := os.MkdirTemp(p.work, "other-") //nolint:usetesting // where Postgres gets through
			if err != nil {
				return err
			}
			e.Setenv("OTHER", other)
			e.Setenv("AFTERCARE", path)
			e.Setenv("AFTERCARE_DATA", p.data)
			e.Setenv("AFTERCARE_LISTEN", "127.0.0.1:0")
			e.Setenv("AFTERCARE_NODE_LISTEN", "127.0.0.1:0")
			return os.Chmod(other, 0o711) //nolint:gosec // G302: Postgres may run as another user
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"aftercare": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) == 0 {
					ts.Fatalf("usage: aftercare CODE ARGS…")
				}
				want, err := strconv.Atoi(args[0])
				ts.Check(err)
				var exit *exec.ExitError
				err = ts.Exec(path, args[1:]...)
				if err != nil && !errors.As(err, &exit) {
					ts.Fatalf("%v", err)
				}
				got := 0
				if exit != nil {
					got = exit.ExitCode()
				}
				if got != want {
					ts.Fatalf("exit code %d, want %d", got, want)
				}
			},
		},
	})
}
