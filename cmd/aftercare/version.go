package main

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/urfave/cli/v3"
)

func (p program) version(_ *config) *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version and what it was built with",
		Action: func(context.Context, *cli.Command) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				fmt.Fprintln(p.Out, "aftercare (unknown build)")
				return nil
			}
			revision := "unknown revision"
			for _, s := range info.Settings {
				if s.Key == "vcs.revision" {
					revision = s.Value
				}
			}
			fmt.Fprintf(p.Out, "aftercare %s (%s, %s)\n", info.Main.Version, revision, info.GoVersion)
			return nil
		},
	}
}
