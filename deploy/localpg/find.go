package localpg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// BinEnv names the environment variable that holds the folder of the Postgres programs to use, before all others.
const BinEnv = "AFTERCARE_POSTGRES_BIN"

const oldest = 15

// Binaries is a folder with the programs of one Postgres.
type Binaries struct {
	Dir   string
	Major int
}

func (b Binaries) path(program string) string { return filepath.Join(b.Dir, program) }

// Find returns the Postgres programs of this machine: those in the folder that [BinEnv] names, else those in PATH, else the newest
// in the usual places. It returns a [*NotFoundError] when there are none, or none that is new enough.
func Find() (Binaries, error) {
	all, err := findAll()
	if err != nil {
		return Binaries{}, err
	}
	return all[0], nil
}

// findMajor returns the programs that can run a cluster of this major version.
func findMajor(major int) (Binaries, error) {
	all, err := findAll()
	if err != nil {
		return Binaries{}, err
	}
	if i := slices.IndexFunc(all, func(b Binaries) bool { return b.Major == major }); i >= 0 {
		return all[i], nil
	}
	return Binaries{}, fmt.Errorf("the cluster was made by Postgres %d, which is not installed; found Postgres %d in %s",
		major, all[0].Major, all[0].Dir)
}

// findAll is never empty without an error.
func findAll() ([]Binaries, error) {
	if dir := os.Getenv(BinEnv); dir != "" {
		major, err := majorOf(dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", BinEnv, err)
		}
		if major < oldest {
			return nil, fmt.Errorf("%s: Postgres %d is too old, %d is needed", BinEnv, major, oldest)
		}
		return []Binaries{{Dir: dir, Major: major}}, nil
	}
	var found []Binaries
	var old int
	for _, dir := range places() {
		major, err := majorOf(dir)
		switch {
		case err != nil: // nothing there
		case major < oldest:
			old = max(old, major)
		default:
			found = append(found, Binaries{Dir: dir, Major: major})
		}
	}
	if len(found) == 0 {
		return nil, &NotFoundError{TooOld: old}
	}
	return found, nil
}

// places returns the folders to look in: PATH first, then the newest version first.
func places() []string {
	var dirs []string
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil && filepath.IsAbs(path) {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	var known []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			panic("localpg: malformed pattern " + pattern)
		}
		known = append(known, matches...)
	}
	slices.SortStableFunc(known, func(a, b string) int { return versionIn(b) - versionIn(a) })
	return append(dirs, known...)
}

var digits = regexp.MustCompile(`\d+`)

// versionIn returns the last number in the path of a folder of programs.
func versionIn(dir string) int {
	numbers := digits.FindAllString(dir, -1)
	if len(numbers) == 0 {
		return 0
	}
	n, err := strconv.Atoi(numbers[len(numbers)-1])
	if err != nil {
		return 0
	}
	return n
}

var versionLine = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// majorOf asks the programs in dir for their major version.
func majorOf(dir string) (int, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0, err
	}
	out, err := exec.CommandContext(context.Background(), filepath.Join(dir, "postgres"), "--version").Output() //nolint:gosec // G204: the folders are the administrator's
	if err != nil {
		return 0, fmt.Errorf("ask %s for its version: %w", dir, err)
	}
	match := versionLine.FindSubmatch(out)
	if match == nil {
		return 0, errors.New("not a Postgres: " + string(out))
	}
	return strconv.Atoi(string(match[1]))
}
