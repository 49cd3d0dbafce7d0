package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v3"

	"aftercare/graph/auth"
)

func (p program) up(c *config) *cli.Command {
	return &cli.Command{
		Name:  "up",
		Usage: "start everything on this machine: event node, Postgres, projectors, API and GraphiQL",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := auth.CheckListen(c.Listen); err != nil {
				return err
			}
			if i, err := c.running(); err != nil {
				return err
			} else if i != nil {
				return fmt.Errorf("%w: %s (process %d)", errBusy, c.DataDir, i.PID)
			}
			return c.service(ctx, func(a *app) error {
				return p.live(ctx, a, parts{api: true, project: true, another: !cmd.IsSet("listen")})
			})
		},
	}
}

func (p program) serve(c *config) *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "serve the API only, over stores that run elsewhere",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := auth.CheckListen(c.Listen); err != nil {
				return err
			}
			return c.service(ctx, func(a *app) error { return p.live(ctx, a, parts{api: true, another: !cmd.IsSet("listen")}) })
		},
	}
}

func (p program) project(c *config) *cli.Command {
	return &cli.Command{
		Name:  "project",
		Usage: "keep the views up to date and record breaches, without an API",
		Action: func(ctx context.Context, _ *cli.Command) error {
			return c.service(ctx, func(a *app) error { return p.live(ctx, a, parts{project: true}) })
		},
	}
}

// with runs f with the program wired to its stores, and takes it apart again.
func (c *config) with(ctx context.Context, f func(*app) error) error {
	a, err := c.open(ctx)
	if err != nil {
		return err
	}
	return errors.Join(f(a), a.close())
}

// service is with for what runs until it is stopped. To be stopped while it starts is no failure, either.
func (c *config) service(ctx context.Context, f func(*app) error) error {
	err := c.with(ctx, f)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
