package localpg

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
)

//go:embed install_debian.sh
var installDebian string

// Install installs Postgres with the system's package manager, writing what that says to stdout, where there is one and it
// may: Homebrew, or apt-get as root or with sudo that asks for no password. Else it returns a [*NotFoundError], which says
// what to type. It makes no cluster.
func Install(ctx context.Context, stdout io.Writer) error {
	command, err := installCommand(ctx)
	if err != nil {
		return err
	}
	command.Stdout, command.Stderr = stdout, stdout
	if err := command.Run(); err != nil {
		return fmt.Errorf("install postgres: %w; %w", err, &NotFoundError{})
	}
	return nil
}

func installCommand(ctx context.Context) (*exec.Cmd, error) {
	switch {
	case has("brew") && os.Geteuid() != 0:
		return exec.CommandContext(ctx, "brew", "install", "postgresql@17"), nil
	case has("apt-get") && os.Geteuid() == 0:
		return exec.CommandContext(ctx, "sh", "-c", installDebian), nil //nolint:gosec // G204: the script is embedded
	case has("apt-get") && has("sudo") && exec.CommandContext(ctx, "sudo", "-n", "true").Run() == nil:
		return exec.CommandContext(ctx, "sudo", "-n", "sh", "-c", installDebian), nil //nolint:gosec // G204: the script is embedded
	}
	return nil, &NotFoundError{}
}
