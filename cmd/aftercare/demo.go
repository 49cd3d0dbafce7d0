package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v3"
	"golang.org/x/sync/errgroup"

	"aftercare/commands/demo"
	"aftercare/domain"
	"aftercare/domain/seal"
	"aftercare/domain/ticket"
)

func (p program) demo(c *config) *cli.Command {
	var seed uint64
	var cases, weeks int
	var until string
	return &cli.Command{
		Name:  "demo",
		Usage: "play believable after-sales activity through the same commands that people use",
		Flags: []cli.Flag{
			&cli.Uint64Flag{Name: "seed", Usage: "one seed makes one history", Value: 1, Destination: &seed},
			&cli.IntFlag{Name: "cases", Usage: "how many cases", Value: 1500, Destination: &cases},
			&cli.IntFlag{Name: "weeks", Usage: "over how many weeks", Value: 4, Destination: &weeks},
			&cli.StringFlag{Name: "until", Usage: "the `DAY` it ends before, 2006-01-02; today unless told", Destination: &until},
		},
		Action: func(ctx context.Context, _ *cli.Command) error {
			if cases < 1 || weeks < 1 || weeks > maxWeeks {
				return usage("--cases and --weeks must be at least 1, --weeks at most %d", maxWeeks)
			}
			end := c.now().UTC().Truncate(24 * time.Hour)
			if until != "" {
				day, err := time.Parse(time.DateOnly, until)
				if err != nil {
					return usage("--until: %q is not a day such as 2026-01-31", until)
				}
				if day.After(end.AddDate(0, 0, 1)) {
					return usage("--until: %s is in the future, and nothing has happened there yet", until)
				}
				end = day
			}
			play := demo.Play{Seed: seed, Cases: cases, From: end.AddDate(0, 0, -7*weeks), Until: end}
			return c.with(ctx, func(a *app) (err error) {
				if a.tickets.Since, err = a.events.Head(ctx); err != nil {
					return err
				}
				var last position
				return a.settled(ctx, p.Err, &last, func(ctx context.Context) error { return p.play(ctx, a, play, &last) })
			})
		},
	}
}

// maxWeeks bounds how far back a demo begins: ten years.
const maxWeeks = 520

// playAhead is how many cases are played at once.
const playAhead = 64

// errPlayedOtherwise is what a command of the demo is refused with that has the id, but not the content, of one before.
var errPlayedOtherwise = domain.Refuse(domain.Conflict, "command.key-reused")

// play carries out the commands of all cases.
func (p program) play(ctx context.Context, a *app, play demo.Play, last *position) error {
	var cases, facts, known atomic.Int64
	stop := meter(p.Err, "demo", func() (int64, int64, string) {
		return cases.Load() + known.Load(), int64(play.Cases), fmt.Sprintf("%d cases, %d facts", cases.Load(), facts.Load())
	})
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(playAhead)
	var ahead []demo.Case
	flush := func() error {
		persons := make([]seal.Subject, len(ahead))
		for i, one := range ahead {
			persons[i] = one.Person
		}
		if err := a.ring.Prepare(ctx, persons); err != nil {
			return err
		}
		for _, one := range ahead {
			group.Go(func() error {
				receipt, err := a.tickets.HandleAll(ctx, one.ID.String(), one.Commands, one.Metadata)
				switch {
				case errors.Is(err, ticket.ErrAlreadyReceived):
					known.Add(1) // another play of the same seed
					return nil
				case err != nil:
					return err
				}
				if receipt.Repeated {
					known.Add(1)
					return nil
				}
				last.reach(receipt.Position)
				cases.Add(1)
				facts.Add(int64(len(one.Commands)))
				return nil
			})
		}
		ahead = ahead[:0]
		return nil
	}
	var err error
	for one := range play.All() {
		if ahead = append(ahead, one); len(ahead) == 16*playAhead {
			if err = flush(); err != nil {
				break
			}
		}
	}
	if err == nil {
		err = flush()
	}
	err = errors.Join(err, group.Wait())
	stop()
	if errors.Is(err, errPlayedOtherwise) {
		err = fmt.Errorf("seed %d was played here before, with other --cases, --weeks or --until: choose another --seed", play.Seed)
	}
	fmt.Fprintf(p.Out, "demo: %d cases played (%d facts), %d were there already\n", cases.Load(), facts.Load(), known.Load())
	return err
}
