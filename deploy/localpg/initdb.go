package localpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// programs returns the programs to use for the cluster in dir: those of its own version, or the best when it is still to be made.
func programs(dir string) (Binaries, error) {
	raw, err := os.ReadFile(filepath.Join(clusterPath(dir), "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return Find()
	}
	if err != nil {
		return Binaries{}, err
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return Binaries{}, fmt.Errorf("version of the cluster: %w", err)
	}
	return findMajor(major)
}

const unfinished = "cluster-new-"

// initialise makes the cluster in home when there is none. What an earlier attempt left is removed.
func initialise(ctx context.Context, o Options, who *account, bin Binaries, home, password string) error {
	leftovers, err := filepath.Glob(filepath.Join(home, unfinished+"*"))
	if err != nil {
		return err
	}
	for _, path := range leftovers {
		o.logger().InfoContext(ctx, "removing a half-made cluster", "path", path)
		if err := os.RemoveAll(path); err != nil {
			// An initdb that outlived its parent still writes there. It is in nobody's way: the next start removes the rest.
			o.logger().WarnContext(ctx, "a half-made cluster is not gone yet", "path", path, "error", err)
		}
	}
	if _, err := os.Stat(clusterPath(home)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}

	temp, err := os.MkdirTemp(home, unfinished)
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp) //nolint:errcheck // what stays is removed at the next start
	if err := who.own(temp); err != nil {
		return err
	}
	secret := filepath.Join(temp, "password")
	if err := os.WriteFile(secret, []byte(password+"\n"), 0o600); err != nil {
		return err
	}
	if err := who.own(secret); err != nil {
		return err
	}
	made := filepath.Join(temp, "cluster")
	args := []string{
		"--pgdata", made, "--username", role, "--pwfile", secret, "--auth", "scram-sha-256",
		"--encoding", "UTF8", "--data-checksums", "--no-instructions",
	}
	if o.Fast {
		args = append(args, "--no-sync")
	}
	var out []byte
	// Not every system has C.UTF-8, which knows letters beyond ASCII; every one has C, and both sort by code point.
	for _, locale := range []string{"C.UTF-8", "C"} {
		cmd := who.command(ctx, temp, bin.path("initdb"), append(args, "--locale", locale)...)
		if out, err = cmd.CombinedOutput(); err == nil {
			return os.Rename(made, clusterPath(home))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return fmt.Errorf("initdb: %w: %s", err, out)
}
