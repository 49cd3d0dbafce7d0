package export

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/projections/archive"
)

// Format is a kind of file.
type Format string

// The formats.
const (
	Parquet Format = "parquet"
	NDJSON  Format = "ndjson"
	CSV     Format = "csv"
	XES     Format = "xes"
)

// Formats are all of them.
func Formats() []Format { return []Format{Parquet, NDJSON, CSV, XES} }

// Clock says which of the times of an event is meant.
type Clock string

// The times: when an event was recorded, or when what it says happened.
const (
	Recorded Clock = "recorded"
	Occurred Clock = "occurred"
)

// Selection is which events to export. The zero Selection is all of them. It stays the same for the life of an export.
type Selection struct {
	// Types are stored names, or patterns of them as path.Match takes; none means all. A pattern takes types that come later, too.
	Types []string `json:"types,omitempty"`
	// After leaves out what is at or before a position, and Since what was recorded before an instant.
	After domain.Position `json:"after,omitzero"`
	Since time.Time       `json:"since,omitzero"`
}

func (s Selection) equal(t Selection) bool {
	return slices.Equal(s.Types, t.Types) && s.After == t.After && s.Since.Equal(t.Since)
}

// Export is what to write, and where.
type Export struct {
	Archive *archive.Archive
	Dir     string
	Format  Format
	// Months says which time makes the month of a file. Defaults to Recorded.
	Months    Clock
	Selection Selection
	// Stretch is how many events of the log go into one file a month. Defaults to 250,000.
	Stretch int
	// StretchBytes is after how much data a stretch ends before that, since part of each file is held in memory. Defaults to 256 MiB.
	StretchBytes int
	// Observe, when set, hears of the number of events written so far, now and then.
	Observe func(events int)
}

// Result is what an export did now, and what its folder holds.
type Result struct {
	Events int `json:"events"`
	Files  int `json:"files"`
	// TotalEvents and TotalFiles are those of all runs.
	TotalEvents int `json:"totalEvents"`
	TotalFiles  int `json:"totalFiles"`
	// Position is up to where the export holds the log.
	Position domain.Position `json:"position"`
}

// ErrOther says that the folder holds an export of another selection or format.
var ErrOther = errors.New("the folder holds another export")

// ErrFinished says that an export of whole streams cannot be added to.
var ErrFinished = errors.New("the export is finished, and an export of whole streams cannot be added to: choose another folder")

// Run writes what the export lacks, up to the end of the log. Interrupted, it can be run again.
func (x Export) Run(ctx context.Context) (Result, error) {
	if x.Months == "" {
		x.Months = Recorded
	}
	if x.Stretch == 0 {
		x.Stretch = 250_000
	}
	if x.StretchBytes == 0 {
		x.StretchBytes = 256 << 20
	}
	if x.Observe == nil {
		x.Observe = func(int) {}
	}
	if !slices.Contains(Formats(), x.Format) {
		return Result{}, fmt.Errorf("export as %q: no such format", x.Format)
	}
	if err := os.MkdirAll(x.Dir, 0o750); err != nil {
		return Result{}, fmt.Errorf("export: %w", err)
	}
	unlock, err := lock(x.Dir)
	if err != nil {
		return Result{}, fmt.Errorf("export: %w", err)
	}
	defer unlock()
	m, err := x.resume()
	if err != nil {
		return Result{}, fmt.Errorf("export into %s: %w", x.Dir, err)
	}
	r := &run{Export: x, manifest: m, had: len(m.Files), hadEvents: m.events()}
	if x.Format == XES {
		err = r.streams(ctx)
	} else {
		err = r.stretches(ctx)
	}
	if err != nil {
		err = fmt.Errorf("export: %w", err)
	}
	return r.result(), err
}

// run is one run of an export.
type run struct {
	Export
	manifest       manifest
	had, hadEvents int
	seen           int
}

func (r *run) result() Result {
	all := r.manifest.events()
	return Result{
		Events: all - r.hadEvents, Files: len(r.manifest.Files) - r.had, TotalEvents: all, TotalFiles: len(r.manifest.Files),
		Position: r.manifest.Position,
	}
}

// wants reports whether an event is selected.
func (s Selection) wants(e codec.Raw) bool {
	named := func(pattern string) bool {
		match, _ := path.Match(pattern, e.Type) // a malformed one takes nothing
		return match
	}
	return (len(s.Types) == 0 || slices.ContainsFunc(s.Types, named)) && e.Position.Compare(s.After) > 0 && !e.RecordedAt.Before(s.Since)
}

// month names the folder of an event's file.
func (r *run) month(row *Row) string {
	at := row.RecordedAt
	if r.Months == Occurred {
		at = row.OccurredAt
	}
	return "month=" + at.UTC().Format("2006-01")
}

// stretches goes through the log.
func (r *run) stretches(ctx context.Context) error {
	after := r.manifest.Position
	if r.Selection.After.Compare(after) > 0 {
		after = r.Selection.After
	}
	s := newStretch(r, after)
	defer s.abandon()
	for e, err := range r.Archive.Read(ctx, after) {
		if err != nil {
			return err
		}
		if err := s.add(e); err != nil {
			return err
		}
		if s.looked >= r.Stretch || s.bytes >= r.StretchBytes {
			if err := s.finish(); err != nil {
				return err
			}
			s = newStretch(r, s.last)
		}
	}
	return s.finish()
}

// stretch is a part of the log on its way into files.
type stretch struct {
	*run
	first, last domain.Position
	looked      int
	bytes       int
	files       map[string]*file
}

func newStretch(r *run, after domain.Position) *stretch {
	return &stretch{run: r, first: after, last: after, files: make(map[string]*file)}
}

func (s *stretch) add(e codec.Raw) error {
	s.last = e.Position
	s.looked++
	if !s.Selection.wants(e) {
		return nil
	}
	row, err := rowOf(e)
	if err != nil {
		return err
	}
	month := s.month(&row)
	f, ok := s.files[month]
	if !ok {
		name := filepath.Join(month, fmt.Sprintf("%020d.%s", s.first.Commit, s.Format))
		if f, err = create(s.Dir, name, s.Format); err != nil {
			return err
		}
		s.files[month] = f
	}
	if err := f.write(&row); err != nil {
		return err
	}
	s.bytes += len(row.Data)
	if s.seen++; s.seen%1000 == 0 {
		s.Observe(s.seen)
	}
	return nil
}

// finish closes the files and has the manifest name them.
func (s *stretch) finish() error {
	if s.looked == 0 {
		return nil
	}
	for month, f := range s.files {
		entry, err := f.finish()
		if err != nil {
			return err
		}
		delete(s.files, month)
		s.manifest.Files = append(s.manifest.Files, entry)
	}
	s.manifest.Position = s.last
	return s.manifest.save(s.Dir)
}

// abandon removes files that are not finished.
func (s *stretch) abandon() {
	for _, f := range s.files {
		f.abandon()
	}
}
