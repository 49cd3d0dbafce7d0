package localpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// account is the user that the server runs as: another one than root, and else our own, which is nil.
type account struct {
	name     string
	uid, gid int
}

func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // nil is our own user, a value like any other
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(found.Uid)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		gid, err := strconv.Atoi(found.Gid)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		return &account{name: name, uid: uid, gid: gid}, nil
	}
	return nil, errors.New("postgres does not run as root, and there is neither a user postgres nor nobody to run it as")
}

// command prepares a program to run as the account, in dir.
func (a *account) command(ctx context.Context, dir, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // G204: the programs are those found on the machine
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if a != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)} //nolint:gosec // G115: ids of the system
	}
	return cmd
}

// own gives a file or folder to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// folderMode is the mode of a folder that the account must get through.
func (a *account) folderMode() fs.FileMode {
	if a == nil {
		return 0o700
	}
	return 0o711
}

// reaches reports whether the account can get to dir, by trying.
func (a *account) reaches(ctx context.Context, bin Binaries, dir string) (bool, error) {
	if a == nil {
		return true, nil
	}
	if out, err := a.command(ctx, "/", bin.path("postgres"), "--version").CombinedOutput(); err != nil {
		return false, fmt.Errorf("run %s as user %s: %w: %s", bin.path("postgres"), a.name, err, out)
	}
	return a.command(ctx, dir, bin.path("postgres"), "--version").Run() == nil, nil
}
