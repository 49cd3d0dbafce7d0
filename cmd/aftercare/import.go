package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"aftercare/commands"
	"aftercare/commands/importer"
	"aftercare/commands/importer/source"
	"aftercare/commands/policies"
	"aftercare/domain"
	"aftercare/domain/policy"
	"aftercare/domain/ticket"
)

func (p program) importFiles(c *config) *cli.Command {
	var name, report, system string
	var dry bool
	return &cli.Command{
		Name:      "import",
		Usage:     "record the ticket histories in foreign files: CSV, XLSX or XES, plain or in folders and archives",
		ArgsUsage: "FILE…",
		Description: "Shipped mappings: " + strings.Join(importer.Shipped(), ", ") + ".\n" +
			"An import that was interrupted goes on when it is run again; nothing is recorded twice.\n" +
			"Rows that are refused are listed in the report, and the exit code is then 3.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "mapping", Aliases: []string{"m"}, Usage: "a shipped mapping's `NAME`, or a file", Destination: &name},
			&cli.StringFlag{Name: "source", Usage: "record the cases as those of this `SYSTEM` instead of the mapping's, to keep two lists of one system apart", Destination: &system},
			&cli.BoolFlag{Name: "dry-run", Usage: "read and check everything, record nothing", Destination: &dry},
			&cli.StringFlag{Name: "report", Usage: "`FILE` of the refused rows", Value: "refused.csv", Destination: &report},
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			paths := cmd.Args().Slice()
			if name == "" {
				return usage("import takes a --mapping: a file, or one of %s", strings.Join(importer.Shipped(), ", "))
			}
			if len(paths) == 0 {
				return usage("import takes files or folders")
			}
			mapping, err := load(name)
			if err != nil {
				return err
			}
			mapping.Source = or(system, mapping.Source)
			total, err := source.Size(paths)
			if err != nil {
				return err
			}
			job := importJob{program: p, mapping: mapping, paths: paths, report: report, total: total}
			if dry {
				return job.check(ctx)
			}
			return c.with(ctx, func(a *app) error { return job.run(ctx, a) })
		},
	}
}

// load reads a mapping: a file where the name is one's, else a shipped one.
func load(name string) (*importer.Mapping, error) {
	if ext := filepath.Ext(name); ext == ".yaml" || ext == ".yml" {
		return importer.Read(os.DirFS(filepath.Dir(name)), filepath.Base(name))
	}
	return importer.Load(name)
}

// importJob is one run of the import command.
type importJob struct {
	program
	mapping *importer.Mapping
	paths   []string
	report  string
	total   int64
}

// versions returns the policies that the mapping brings.
func (j importJob) versions() ([]policy.Version, error) {
	texts, err := j.mapping.PolicyFiles()
	if err != nil {
		return nil, err
	}
	var all []policy.Version
	for name, text := range texts {
		versions, err := policies.Read(name, strings.NewReader(string(text)))
		if err != nil {
			return nil, err
		}
		all = append(all, versions...)
	}
	return all, nil
}

// check reads everything and decides on it, as if no case were recorded yet.
func (j importJob) check(ctx context.Context) error {
	versions, err := j.versions()
	if err != nil {
		return err
	}
	var published []policy.Published
	for _, v := range append(policies.Default(), versions...) {
		published = append(published, policy.Published{Version: v})
	}
	book, err := policy.NewBook(tzVersion()).With(published...)
	if err != nil {
		return err
	}
	decider := ticket.New(book)
	im := importer.Import{
		Mapping: j.mapping,
		Key:     []byte("nothing made with this key is recorded"),
		Handle: func(_ context.Context, _ string, cmds []ticket.Command, _ domain.Metadata) (commands.Receipt, error) {
			_, _, err := decider.DecideAll(ticket.State{}, cmds...)
			return commands.Receipt{}, err
		},
	}
	return j.play(ctx, im, "checked, nothing recorded")
}

func (j importJob) run(ctx context.Context, a *app) error {
	versions, err := j.versions()
	if err != nil {
		return err
	}
	if err := a.publish(ctx, versions); err != nil {
		return err
	}
	if a.tickets.Since, err = a.events.Head(ctx); err != nil {
		return err
	}
	defer roomy()()
	var last position
	im := importer.Import{
		Mapping: j.mapping,
		Key:     subkey(a.ring.HashKey(), "import"),
		Prepare: a.ring.Prepare,
		Handle: func(ctx context.Context, id string, cmds []ticket.Command, meta domain.Metadata) (commands.Receipt, error) {
			receipt, err := a.tickets.HandleAll(ctx, id, cmds, meta)
			last.reach(receipt.Position)
			return receipt, err
		},
		Principal: domain.Principal{ID: "import:" + j.mapping.Name, Roles: []string{"importer"}},
	}
	return a.settled(ctx, j.Err, &last, func(ctx context.Context) error { return j.play(ctx, im, "recorded") })
}

// subkey derives a key for one purpose.
func subkey(key []byte, purpose string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}

// play runs an import with its progress and its report.
func (j importJob) play(ctx context.Context, im importer.Import, done string) (err error) {
	report := &lazyFile{name: j.report}
	defer func() { err = errors.Join(err, report.Close()) }()
	refused := importer.NewReport(report, j.say)
	im.Refused = refused.Add
	progress := &importer.Progress{}
	stop := j.bar(im.Mapping, progress)
	err = im.Run(ctx, j.paths, progress)
	stop()
	fmt.Fprintf(j.Out, "%s: %d files, %d rows; %d cases %s (%d facts), %d of them known before; %d refused\n", im.Mapping.Name,
		progress.Files.Load(), progress.Rows.Load(), progress.Cases.Load(), done, progress.Facts.Load(), progress.Known.Load(), progress.Refusals.Load())
	if err != nil {
		return err
	}
	if n := progress.Refusals.Load(); n > 0 {
		return &exitError{exitRefused, fmt.Sprintf("%d rows or cases were refused: see %s", n, j.report)}
	}
	if progress.Files.Load() == 0 {
		return errors.New("no file there that the mapping is about")
	}
	return nil
}

// lazyFile is made when something is written to it, so that an import without refusals leaves no report, and no old one is taken
// for its own.
type lazyFile struct {
	name string
	file *os.File
}

func (l *lazyFile) Write(b []byte) (int, error) {
	if l.file == nil {
		f, err := os.Create(l.name)
		if err != nil {
			return 0, err
		}
		l.file = f
	}
	return l.file.Write(b)
}

func (l *lazyFile) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}
