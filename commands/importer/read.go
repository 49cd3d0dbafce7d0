package importer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
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
func (r *run) read(ctx context.Context, paths []string, out chan<- []item) error {
	group := make([]item, 0, groupSize)
	flush := func(limit int) error {
		if len(group) < limit || len(group) == 0 {
			return nil
		}
		select {
		case out <- group:
			group = make([]item, 0, groupSize)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	index := map[string]int{}
	var histories []item
	err := source.Each(ctx, paths, r.filter(), func(f source.File) error {
		return r.file(ctx, f, func(e *entry, row int) error {
			if r.Rows == "event" {
				i, ok := index[e.key]
				if !ok {
					i = len(histories)
					index[e.key] = i
					histories = append(histories, item{&history{}, f.Name, row})
				}
				histories[i].add(e)
				return nil
			}
			it := item{&history{}, f.Name, row}
			it.add(e)
			if again, err := r.again(it); again || err != nil {
				return err
			}
			group = append(group, it)
			return flush(groupSize)
		})
	})
	if err != nil {
		return err
	}
	r.progress.Found.Store(int64(len(histories) + len(r.seen)))
	for _, it := range histories {
		group = append(group, it)
		if err := flush(groupSize); err != nil {
			return err
		}
	}
	return flush(1)
}

// again reports that a case of one row was in this run before. The same row is passed over, another one refused.
func (r *run) again(it item) (bool, error) {
	id := CaseID(r.Source, it.first.key)
	h := sha256.New()
	it.write(h)
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
		File: it.file, Row: it.row, Column: strings.Join(r.program.Mapping.Key.Columns, " | "), Value: it.first.key,
		Reason: domain.Refuse(domain.Invalid, "import.duplicate-case"),
	})
}

// file reads one file. A file that is not what the mapping expects is refused as a whole.
func (r *run) file(ctx context.Context, f source.File, take func(*entry, int) error) error {
	r.progress.Files.Add(1)
	rows, err := r.open(f)
	if err != nil {
		return r.refuse(Refusal{File: f.Name, Reason: fileProblem(err)})
	}
	if c, ok := rows.(io.Closer); ok {
		defer func() { _ = c.Close() }()
	}
	var b *bound
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
		case err != nil:
			return r.refuse(Refusal{File: f.Name, Row: row.Line, Reason: fileProblem(err)})
		}
		r.progress.Rows.Add(1)
		if b == nil || b.width != len(row.Header().Names) {
			b = r.bind(row.Header())
		}
		e, p := b.row(row)
		if p != nil {
			if err := r.refuse(Refusal{f.Name, row.Line, p.column, p.value, p.err}); err != nil {
				return err
			}
			continue
		}
		if err := take(e, row.Line); err != nil {
			return err
		}
	}
}

func fileProblem(err error) *domain.Error {
	var e *domain.Error
	if errors.As(err, &e) {
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
	format := r.Format
	if lower := strings.TrimSuffix(strings.ToLower(f.Name), ".gz"); format == "" || strings.HasSuffix(lower, ".xes") {
		format = lower[strings.LastIndexByte(lower, '.')+1:]
	}
	var rows table.Reader
	var err error
	switch format {
	case "xlsx":
		rows, err = xlsx.New(f, xlsx.Options{Sheet: r.Sheet, IsHeader: isHeader})
	case "xes":
		return xes.New(f), nil
	case "csv", "tsv", "txt":
		o := csv.Options{Encoding: r.Encoding, IsHeader: isHeader}
		if r.Delimiter != "" {
			o.Delimiter = []rune(r.Delimiter)[0]
		} else if format == "tsv" {
			o.Delimiter = '\t'
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
