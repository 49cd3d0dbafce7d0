package importer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"aftercare/commands/importer/csv"
	"aftercare/commands/importer/source"
	"aftercare/commands/importer/table"
	"aftercare/commands/importer/xes"
	"aftercare/commands/importer/xlsx"
	"aftercare/domain"
)

// groupSize is how many cases go to the log as one group.
const groupSize = 1024

// read sends the cases of all files. Cases of one row each are sent as they are read; histories of events when the last file is
// read, since any file may add to any case.
func (r *run) read(ctx context.Context, paths []string, out chan<- []*history) error {
	group := make([]*history, 0, groupSize)
	flush := func(limit int) error {
		if len(group) < limit {
			return nil
		}
		select {
		case out <- group:
			group = make([]*history, 0, groupSize)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	cases := map[string]*history{}
	var order []*history
	take := func(e *entry, at place, refused bool) error {
		if r.Rows != "event" {
			if refused {
				return nil
			}
			h := &history{}
			h.add(r.program, e, at)
			if again, err := r.again(h); again || err != nil {
				return err
			}
			group = append(group, h)
			return flush(groupSize)
		}
		h := cases[e.key]
		if h == nil {
			h = &history{}
			cases[e.key] = h
			order = append(order, h)
		}
		if refused {
			h.skip()
		} else {
			h.add(r.program, e, at)
		}
		return nil
	}
	if err := source.Each(ctx, paths, r.filter(), func(f source.File) error { return r.file(ctx, f, take) }); err != nil {
		return err
	}
	order = slices.DeleteFunc(order, func(h *history) bool { return h.first == nil }) // all of its rows were refused
	r.progress.Found.Store(int64(len(order) + len(r.seen)))
	for _, h := range order {
		group = append(group, h)
		if err := flush(groupSize); err != nil {
			return err
		}
	}
	return flush(1)
}

// again reports that a case of one row was in this run before. The same row is passed over, another one refused.
func (r *run) again(it *history) (bool, error) {
	id := CaseID(r.Source, it.first.key)
	h := sha256.New()
	it.write(r.program, h)
	sum := [32]byte(h.Sum(nil))
	before, ok := r.seen[id]
	if !ok {
		r.seen[id] = sum
		return false, nil
	}
	if before == sum {
		return true, nil
	}
	return true, r.refuse(Refusal{
		File: it.began.file, Row: it.began.row, Column: r.keyColumn(), Value: it.first.key,
		Reason: domain.Refuse(domain.Invalid, "import.duplicate-case"),
	})
}

// file reads one file and passes on its rows, of refused ones those whose case is known. A file that is not what the mapping expects is
// refused as a whole.
func (r *run) file(ctx context.Context, f source.File, take func(e *entry, at place, refused bool) error) error {
	r.progress.Files.Add(1)
	rows, err := r.open(f)
	if err != nil {
		return r.refuse(Refusal{File: f.Name, Reason: fileProblem(err)})
	}
	if c, ok := rows.(io.Closer); ok {
		defer func() { _ = c.Close() }()
	}
	var b *bound
	last := 0
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		row, err := rows.Next()
		var bad *table.RowError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad):
			r.progress.Rows.Add(1)
			refusal := Refusal{File: f.Name, Row: bad.Line, Value: bad.Value, Reason: domain.Refuse(domain.Invalid, "import.malformed-row", "problem", bad.Error())}
			if err := r.refuse(refusal); err != nil {
				return err
			}
			continue
		case err != nil: // Row says how far it could be read
			return r.refuse(Refusal{File: f.Name, Row: last, Reason: fileProblem(err)})
		}
		r.progress.Rows.Add(1)
		last = row.Line
		if b == nil || b.width != len(row.Header().Names) {
			b = r.bind(row.Header())
		}
		e, p := b.row(row)
		if p != nil {
			if err := r.refuse(Refusal{f.Name, row.Line, p.column, p.value, p.err}); err != nil {
				return err
			}
		}
		if e.key == "" {
			continue
		}
		if err := take(e, place{file: f.Name, row: row.Line}, p != nil); err != nil {
			return err
		}
	}
}

func fileProblem(err error) *domain.Error {
	if errors.Is(err, csv.ErrEmpty) || errors.Is(err, xes.ErrEmpty) {
		return domain.Refuse(domain.Invalid, "import.empty-file")
	}
	if e, ok := errors.AsType[*domain.Error](err); ok {
		return e
	}
	return domain.Refuse(domain.Invalid, "import.unreadable-file", "problem", err.Error())
}

func (r *run) open(f source.File) (table.Reader, error) {
	var lacking []string
	isHeader := func(h *table.Header) bool {
		missing := r.lacks(h)
		if lacking == nil || len(missing) < len(lacking) {
			lacking = missing
		}
		return len(missing) == 0
	}
	var rows table.Reader
	var err error
	switch format := r.format(f); format {
	case "xlsx":
		rows, err = xlsx.New(f, xlsx.Options{Sheet: r.Sheet, IsHeader: isHeader})
	case "xes":
		rows, err = xes.New(f)
	case "csv":
		o := csv.Options{Encoding: r.Encoding, IsHeader: isHeader}
		if r.Delimiter != "" {
			o.Delimiter = []rune(r.Delimiter)[0]
		}
		rows, err = csv.New(f, o)
	default:
		return nil, domain.Refuse(domain.Invalid, "import.unknown-format", "format", format)
	}
	if errors.Is(err, csv.ErrNoHeader) || errors.Is(err, xlsx.ErrNoHeader) {
		return nil, domain.Refuse(domain.Invalid, "import.missing-column", "columns", strings.Join(lacking, "; "))
	}
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	return rows, nil
}

// format says how to read a file: what its name says, else what the mapping says.
func (r *run) format(f source.File) string {
	switch ending := f.Format(); ending {
	case "xlsx", "xlsm":
		return "xlsx"
	case "csv", "tsv":
		return "csv"
	case "xes":
		return ending
	case "txt":
		if r.Format == "" {
			return "csv"
		}
		return r.Format
	default:
		if r.Format == "" {
			return ending
		}
		return r.Format
	}
}
