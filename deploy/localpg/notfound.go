package localpg

import (
	"fmt"
	"os/exec"
	"runtime"
)

// NotFoundError says that the machine has no Postgres that is new enough, and what to type to get one.
type NotFoundError struct {
	// TooOld is the newest version that was found and is too old, or 0.
	TooOld int
}

// Error says what to type on this machine.
func (e *NotFoundError) Error() string {
	found := "no Postgres programs were found"
	if e.TooOld > 0 {
		found = fmt.Sprintf("only Postgres %d was found", e.TooOld)
	}
	return fmt.Sprintf("%s; Postgres %d or newer is needed: %s, or set %s to the folder that holds initdb and postgres",
		found, oldest, advice(runtime.GOOS, has), BinEnv)
}

func has(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

func advice(system string, has func(string) bool) string {
	switch {
	case system == "darwin" && !has("brew"):
		return "install Homebrew (https://brew.sh), then type `brew install postgresql@17`"
	case has("brew"):
		return "type `brew install postgresql@17`"
	case has("apt-get"):
		return "type `sudo apt-get update && sudo apt-get install postgresql`"
	case has("dnf"):
		return "type `sudo dnf install postgresql-server`"
	case has("zypper"):
		return "type `sudo zypper install postgresql-server`"
	case has("pacman"):
		return "type `sudo pacman -S postgresql`"
	case has("apk"):
		return "type `apk add postgresql`"
	}
	return "install it with the system's package manager"
}
