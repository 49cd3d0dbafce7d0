package importer

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"aftercare/commands"
	"aftercare/commands/importer/source"
	"aftercare/domain"
	"aftercare/domain/seal"
	"aftercare/domain/servicenumber"
	"aftercare/domain/ticket"
)

// Import is one run of a mapping over files.
type Import struct {
	Mapping *Mapping
	// Handle carries out the commands of one case as one append. It is called by several goroutines.
	Handle func(ctx context.Context, id string, cmds []ticket.Command, meta domain.Metadata) (commands.Receipt, error)
	// Prepare, when set, is told the persons of the cases ahead, so that their keys can be made together.
	Prepare func(ctx context.Context, persons []seal.Subject) error
	// Key makes the pseudonyms of persons and the ids of commands, so that neither can be guessed from what is stored.
	Key []byte
	// Principal is who imports.
	Principal domain.Principal
	// Workers are the appends under way at once. Defaults to 64.
	Workers int
	// Refused is told each row or case that was not taken. It is called by one goroutine at a time.
	Refused func(Refusal) error
}

// Refusal is a row, or a whole case, that was not taken.
type Refusal struct {
	File   string
	Row    int
	Column string
	Value  string
	Reason *domain.Error
}

// Progress is how far an import is. Its fields are read while the import runs.
type Progress struct {
	// Bytes are read of the sources as they lie on disk.
	Bytes atomic.Int64
	// Rows are read, Refusals are rows or cases not taken, Cases are recorded, Facts are what the cases consist of, and Known
	// are cases that had been recorded before, with nothing new.
	Files, Rows, Refusals, Cases, Facts, Known atomic.Int64
	// Found is the number of cases, once all rows are read; before that it is 0.
	Found atomic.Int64
}

// namespace of the ids of imported cases and of their commands.
var namespace = domain.DeriveUUID(domain.UUID{}, "aftercare/import")

// CaseID returns the id under which a case of a source is recorded.
func CaseID(system, key string) domain.UUID {
	return domain.DeriveUUID(namespace, system+"\x00"+key)
}

// Run reads the files under the paths and records what they say. Rows that cannot be read are refused and the rest goes on, and so are
// files and archives that are damaged. An error is returned when a path does not exist, the log cannot be written, or ctx ends. What was recorded by then stays, and
// running again goes on from there.
func (im *Import) Run(ctx context.Context, paths []string, progress *Progress) error {
	p, err := compile(im.Mapping)
	if err != nil {
		return badMapping(im.Mapping.Name, err.Error())
	}
	run := &run{Import: im, program: p, progress: progress, seen: map[domain.UUID][32]byte{}}
	workers := im.Workers
	if workers <= 0 {
		workers = 64
	}
	items := make(chan []*history, 2)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(items)
		return run.read(ctx, paths, items)
	})
	group.Go(func() error { return run.record(ctx, items, workers) })
	return group.Wait()
}

type run struct {
	*Import
	*program
	progress *Progress
	refusing sync.Mutex
	seen     map[domain.UUID][32]byte
}

// keyColumn says which column a refusal of a whole case is about.
func (r *run) keyColumn() string {
	if r.program.Key.Template != "" {
		return r.program.Key.Template
	}
	return strings.Join(r.program.Key.Columns, " | ")
}

func (r *run) refuse(f Refusal) error {
	f.Value = excerpt(f.Value)
	r.progress.Refusals.Add(1)
	if r.Refused == nil {
		return nil
	}
	r.refusing.Lock()
	defer r.refusing.Unlock()
	return r.Refused(f)
}

// record appends the cases of one group after another, several at a time.
func (r *run) record(ctx context.Context, groups <-chan []*history, workers int) error {
	for items := range groups {
		if err := r.prepare(ctx, items); err != nil {
			return err
		}
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(workers)
		for _, it := range items {
			if ctx.Err() != nil {
				break
			}
			group.Go(func() error { return r.one(ctx, it) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (r *run) prepare(ctx context.Context, items []*history) error {
	if r.Prepare == nil {
		return nil
	}
	var persons []seal.Subject
	once := map[seal.Subject]bool{}
	for _, it := range items {
		if !it.sealed() {
			continue
		}
		if who := r.identity(it.first); !once[who.person] {
			once[who.person] = true
			persons = append(persons, who.person)
		}
	}
	if len(persons) == 0 {
		return nil
	}
	return r.Prepare(ctx, persons)
}

func (h *history) sealed() bool {
	return h.first.text != [4]string{} || h.last.comment != ""
}

func (r *run) identity(e *entry) identity {
	id := CaseID(r.Source, e.key)
	who := identity{id: id, number: servicenumber.New(id).String(), person: seal.Subject(id.String())}
	if e.customer != "" {
		mac := hmac.New(sha256.New, r.Key)
		mac.Write([]byte(r.Source + "\x00" + e.customer))
		who.person, who.known = seal.Subject(hex.EncodeToString(mac.Sum(nil)[:16])), true
	}
	return who
}

// attempts bounds how often one case is tried while the store is away: with the pauses between them, about a minute.
const attempts = 20

func (r *run) one(ctx context.Context, it *history) error {
	who := r.identity(it.first)
	cmds := it.commands(r.program, who)
	mac := hmac.New(sha256.New, r.Key)
	it.write(r.program, mac)
	meta := domain.Metadata{
		CommandID: domain.DeriveUUID(who.id, hex.EncodeToString(mac.Sum(nil))),
		Principal: r.Principal, Channel: "import",
	}
	for attempt := 1; ; attempt++ {
		receipt, err := r.Handle(ctx, who.id.String(), cmds, meta)
		var refused *domain.Error
		switch {
		case err == nil:
			r.progress.Cases.Add(1)
			r.progress.Facts.Add(int64(len(cmds)))
			if receipt.Repeated {
				r.progress.Known.Add(1)
			}
			return nil
		case errors.As(err, &refused) && refused.Kind != domain.Unavailable:
			return r.refuse(Refusal{File: it.began.file, Row: it.began.row, Column: r.keyColumn(), Value: it.first.key, Reason: refused})
		case refused == nil || attempt == attempts || ctx.Err() != nil:
			return err
		}
		if err := pause(ctx, min(time.Duration(attempt)*250*time.Millisecond, 4*time.Second)); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *run) filter() source.Filter {
	return source.Filter{
		Include: r.Include, Exclude: r.Exclude, Read: &r.progress.Bytes,
		Broken: func(name string, err error) error {
			r.progress.Files.Add(1)
			return r.refuse(Refusal{File: name, Reason: fileProblem(err)})
		},
	}
}
