package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aymanbagabas/go-udiff"
	"github.com/urfave/cli/v3"

	"aftercare/commands/policies"
	"aftercare/domain"
	"aftercare/domain/policy"
)

func (p program) policy(c *config) *cli.Command {
	return &cli.Command{
		Name:     "policy",
		Usage:    "work with policies: calendars, and the promises that are counted in them",
		Commands: []*cli.Command{p.policyCheck(), p.policyDiff(c), p.policyList(c), p.policyShow(c)},
	}
}

func (p program) policyCheck() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "say what is wrong with files of policies, and where",
		ArgsUsage: "FILE...",
		Action: func(_ context.Context, cmd *cli.Command) error {
			versions, err := p.readPolicies(cmd.Args().Slice())
			if err != nil {
				return err
			}
			fmt.Fprintf(p.Out, "nothing is wrong; versions of policies: %d\n", len(versions))
			return nil
		},
	}
}

// readPolicies reads files. What is wrong with them is printed, all of it, and ends with exitMismatch.
func (p program) readPolicies(names []string) (all []policy.Version, err error) {
	if len(names) == 0 {
		return nil, usage("it takes files of policies")
	}
	bad := false
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		versions, err := policies.Read(name, f)
		_ = f.Close() // it was only read
		all = append(all, versions...)
		for _, problem := range problems(err) {
			bad = true
			fmt.Fprintln(p.Out, p.sayProblem(problem))
		}
	}
	if bad {
		return nil, &exitError{code: exitMismatch}
	}
	return all, nil
}

// problems are the single ones of an error that may have several.
func problems(err error) []error {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	return []error{err}
}

// sayProblem says a problem in the language of the terminal, behind its place.
func (p program) sayProblem(err error) string {
	problem, ok := errors.AsType[*policies.ProblemError](err)
	refusal, known := errors.AsType[*domain.Error](err)
	if !ok || !known {
		return p.say(err)
	}
	place, _, _ := strings.Cut(problem.Error(), ": "+problem.Reason.Error())
	return place + ": " + p.words().Of(refusal)
}

func (p program) policyList(c *config) *cli.Command {
	var asJSON bool
	return &cli.Command{
		Name:  "list",
		Usage: "list every version of every policy that was published",
		Flags: []cli.Flag{jsonFlag(&asJSON)},
		Action: func(ctx context.Context, _ *cli.Command) error {
			return c.with(ctx, func(a *app) error {
				all := a.book.Load().Versions()
				if asJSON {
					return p.printJSON(all, nil)
				}
				w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
				fmt.Fprintln(w, "POLICY\tVERSION\tIS\tFROM\tTO\tTITLE")
				for _, v := range all {
					fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n", v.ID, v.Number, kindOf(v), bound(v.ValidFrom), bound(v.ValidTo), v.Title)
				}
				return w.Flush()
			})
		},
	}
}

func kindOf(v policy.Version) string {
	if v.Calendar != nil {
		return "calendar"
	}
	return "promises"
}

func bound(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func (p program) policyShow(c *config) *cli.Command {
	var number int
	return &cli.Command{
		Name:      "show",
		Usage:     "print a policy as a file of policies, as it was published",
		ArgsUsage: "ID",
		Flags:     []cli.Flag{&cli.IntFlag{Name: "version", Usage: "the `NUMBER` of the version; the newest unless told", Destination: &number}},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if cmd.Args().Len() != 1 {
				return usage("policy show takes the id of a policy")
			}
			return c.with(ctx, func(a *app) error {
				versions := versionsOf(a.book.Load(), cmd.Args().First())
				switch {
				case len(versions) == 0:
					return fmt.Errorf("there is no policy %q: see `aftercare policy list`", cmd.Args().First())
				case number == 0:
					number = len(versions)
				case number < 1 || number > len(versions):
					return fmt.Errorf("policy %s has the versions 1 to %d", cmd.Args().First(), len(versions))
				}
				return policies.Write(p.Out, versions[number-1:number], nil)
			})
		},
	}
}

// versionsOf returns those of a policy, in their order.
func versionsOf(b *policy.Book, id string) (found []policy.Version) {
	for _, v := range b.Versions() {
		if v.ID == id {
			found = append(found, v)
		}
	}
	return found
}

func (p program) policyDiff(c *config) *cli.Command {
	return &cli.Command{
		Name:      "diff",
		Usage:     "compare files of policies with what was published",
		ArgsUsage: "FILE...",
		Action: func(ctx context.Context, cmd *cli.Command) error {
			versions, err := p.readPolicies(cmd.Args().Slice())
			if err != nil {
				return err
			}
			return c.with(ctx, func(a *app) error {
				refused := false
				book := a.book.Load()
				for _, v := range versions {
					ok, err := differ(p.Out, versionsOf(book, v.ID), v)
					if err != nil {
						return err
					}
					refused = refused || !ok
				}
				if refused {
					return &exitError{code: exitMismatch}
				}
				return nil
			})
		},
	}
}

// differ says how a version differs from the published one of its number, or else from the newest. It reports whether it could be published.
func differ(out io.Writer, published []policy.Version, v policy.Version) (ok bool, err error) {
	n := len(published)
	ok, said, base := true, "is new", published[max(n-1, 0):]
	switch {
	case v.Number <= n:
		ok, said, base = false, "differs from what was published under this number, which never changes", published[v.Number-1:v.Number]
	case v.Number > n+1:
		ok, said = false, fmt.Sprintf("cannot be next: the newest is version %d", n)
	}
	before, err := written(base)
	if err != nil {
		return false, err
	}
	after, err := written([]policy.Version{v})
	if err != nil {
		return false, err
	}
	diff := udiff.Unified("published", "file", before, after)
	if diff == "" {
		ok, said = true, "is as it was published"
	}
	fmt.Fprintf(out, "%s version %d %s\n%s", v.ID, v.Number, said, diff)
	return ok, nil
}

// written is versions as a file; none is empty.
func written(versions []policy.Version) (string, error) {
	if len(versions) == 0 {
		return "", nil
	}
	var text strings.Builder
	err := policies.Write(&text, versions, nil)
	return text.String(), err
}
