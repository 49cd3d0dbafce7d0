package main

import (
	"context"
	"fmt"
	"os"

	"github.com/urfave/cli/v3"

	"aftercare/domain/calendar/check"
)

func (p program) calendar(_ *config) *cli.Command {
	return &cli.Command{
		Name:  "calendar",
		Usage: "work with business calendars",
		Commands: []*cli.Command{{
			Name:      "check",
			Usage:     "evaluate a file of calendar cases and list each mismatch",
			ArgsUsage: "FILE",
			Action: func(_ context.Context, cmd *cli.Command) error {
				if cmd.Args().Len() != 1 {
					return usage("calendar check takes one file")
				}
				f, err := os.Open(cmd.Args().First())
				if err != nil {
					return err
				}
				defer func() { _ = f.Close() }()
				report, err := check.Check(f)
				if err != nil {
					return err
				}
				for _, m := range report.Mismatches {
					fmt.Fprintln(p.Out, m)
				}
				for _, r := range report.Refusals {
					fmt.Fprintln(p.Out, r)
				}
				fmt.Fprintf(p.Out, "%d cases, %d hold, %d mismatches, %d cannot be evaluated\n",
					report.Cases, report.Passed, len(report.Mismatches), len(report.Refusals))
				if !report.OK() {
					return &exitError{code: exitMismatch}
				}
				return nil
			},
		}, p.calendarImport()},
	}
}
