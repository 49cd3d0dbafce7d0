package localpg

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// place returns the folder of the server's files: dir, or one elsewhere when the account cannot reach dir.
func place(ctx context.Context, o Options, who *account, bin Binaries, dir, known string) (string, error) {
	if known != "" {
		return known, makeFolder(known, who)
	}
	reached, err := who.reaches(ctx, bin, dir)
	if err != nil || reached {
		return dir, err
	}
	base := "/var/lib/aftercare"
	if o.Fast {
		base = "/tmp" // that of the environment may be root's own
	}
	sum := sha256.Sum256([]byte(dir))
	home := filepath.Join(base, "postgres-"+hex.EncodeToString(sum[:8]))
	if err := makeFolder(home, who); err != nil {
		return "", err
	}
	if reached, err = who.reaches(ctx, bin, home); err != nil {
		return "", err
	}
	if !reached {
		return "", fmt.Errorf("postgres runs as user %s, which can reach neither %s nor %s: "+
			"open the folders above one of them (chmod o+x), or choose another data folder", who.name, dir, home)
	}
	o.logger().WarnContext(ctx, "the server's user cannot reach the data folder, placing the cluster elsewhere",
		"user", who.name, "folder", dir, "cluster", home)
	return home, nil
}

// link makes the cluster visible in a folder that does not hold it.
func link(dir, home string) error {
	if dir == home {
		return nil
	}
	err := os.Symlink(clusterPath(home), clusterPath(dir))
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// makeFolder makes a folder of ours that the account can get through.
func makeFolder(dir string, who *account) error {
	if err := os.MkdirAll(dir, who.folderMode()); err != nil {
		return err
	}
	return os.Chmod(dir, who.folderMode())
}

// socketLimit is the longest folder in which a socket's path fits the address on every system.
const socketLimit = 80

// socketFolder returns a private folder for the socket, and whether it is a temporary one.
func socketFolder(home string, who *account) (dir string, temporary bool, err error) {
	dir = filepath.Join(home, "run")
	if len(dir) <= socketLimit {
		err = os.MkdirAll(dir, 0o700)
	} else {
		temporary = true
		dir, err = os.MkdirTemp("", "aftercare-pg-")
	}
	if err == nil {
		err = who.own(dir)
	}
	return dir, temporary, err
}
