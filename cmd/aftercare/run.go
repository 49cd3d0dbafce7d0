package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"aftercare/domain"
	"aftercare/graph/locale"
)

// program is the outside world as the subcommands see it.
type program struct {
	In       io.Reader
	Out, Err io.Writer
	Env      func(string) string
}

// Exit codes: see the package.
const (
	exitFailed   = 1
	exitUsage    = 2
	exitRefused  = 3
	exitMismatch = 4
)

// exitError ends the program with a code; its text, if any, is printed first.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Sprintf(format, args...)}
}

// run executes one command line and returns the exit code.
func (p program) run(ctx context.Context, args []string) int {
	var unknown string
	err := p.command(&unknown).Run(ctx, args)
	if unknown != "" {
		err = usage("no command %q", unknown)
	}
	if err == nil {
		return 0
	}
	if exit, ok := errors.AsType[*exitError](err); ok {
		if exit.text != "" {
			fmt.Fprintln(p.Err, "aftercare: "+exit.text)
		}
		return exit.code
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		fmt.Fprintln(p.Err, "aftercare: interrupted")
		return exitFailed
	}
	fmt.Fprintln(p.Err, "aftercare: "+p.say(err))
	return exitFailed
}

// say says an error in the language of the terminal.
func (p program) say(err error) string {
	var refused *domain.Error
	if !errors.As(err, &refused) {
		return err.Error()
	}
	return p.words().Of(refused)
}

// words is the language of the terminal.
func (p program) words() locale.Words {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := p.Env(name); v != "" {
			tag, _, _ := strings.Cut(v, ".")
			return locale.Accept(strings.ReplaceAll(tag, "_", "-"))
		}
	}
	return locale.Words{}
}

// command is the whole command line. A command that does not exist is noted in unknown.
func (p program) command(unknown *string) *cli.Command {
	c := config{now: time.Now, out: p.Err, env: p.Env} //nolint:forbidigo // the one place where the real clock comes in
	root := &cli.Command{
		Name:            "aftercare",
		Usage:           "the system of record for after-sales service and complaints",
		Reader:          p.In,
		Writer:          p.Out,
		ErrWriter:       p.Err,
		Flags:           c.flags(),
		HideVersion:     true,
		ExitErrHandler:  func(context.Context, *cli.Command, error) {},
		OnUsageError:    func(_ context.Context, _ *cli.Command, err error, _ bool) error { return usage("%v", err) },
		CommandNotFound: func(_ context.Context, _ *cli.Command, name string) { *unknown = name },
		Before: func(ctx context.Context, _ *cli.Command) (context.Context, error) {
			if err := c.Validate(); err != nil {
				return ctx, usage("%v", err)
			}
			c.logger = slog.New(slog.NewTextHandler(p.Err, &slog.HandlerOptions{Level: c.level}))
			return ctx, nil
		},
		Commands: []*cli.Command{
			p.up(&c), p.serve(&c), p.project(&c), p.eventnode(&c),
			p.importFiles(&c), p.demo(&c),
			p.query(&c), p.tickets(&c), p.clock(&c), p.calendar(&c), p.policy(&c),
			p.views(&c), p.rebuild(&c), p.metric(&c), p.export(&c), p.load(&c), p.doctor(&c), p.version(&c),
		},
	}
	for _, group := range root.Commands {
		group.CommandNotFound, group.OnUsageError = root.CommandNotFound, root.OnUsageError
		refuseArguments(group)
		for _, c := range group.Commands {
			c.OnUsageError = root.OnUsageError
			refuseArguments(c)
		}
	}
	return root
}

// refuseArguments makes arguments of a command that takes none wrong usage: what they were meant for would not happen.
func refuseArguments(c *cli.Command) {
	action := c.Action
	if action == nil || c.ArgsUsage != "" {
		return
	}
	c.Action = func(ctx context.Context, cmd *cli.Command) error {
		if cmd.Args().Present() {
			return usage("%s takes no arguments, but there is %q", cmd.Name, cmd.Args().First())
		}
		return action(ctx, cmd)
	}
}
