package export

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"aftercare/projections/archive"
)

// portionEvents is about how many events of whole streams are held in memory.
const portionEvents = 50_000

// streams goes through the log stream by stream.
func (r *run) streams(ctx context.Context) error {
	head, err := r.Archive.Log.Head(ctx)
	if err != nil {
		return err
	}
	log, err := r.Archive.Extend(ctx, head.Position, nil)
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // it is only read
	m := &r.manifest
	if m.Portions == 0 {
		m.Position = log.End()
		m.Portions = min(max(1, log.Events()/portionEvents), archive.Buckets)
		if err := m.save(r.Dir); err != nil {
			return err
		}
	} else if len(m.Done) == m.Portions {
		return ErrFinished
	}
	for n := range m.Portions {
		if slices.Contains(m.Done, n) {
			continue
		}
		if err := r.portion(ctx, log, n); err != nil {
			return err
		}
	}
	return nil
}

// portion writes the traces of some streams.
func (r *run) portion(ctx context.Context, log *archive.Snapshot, n int) (err error) {
	first, end := n*archive.Buckets/r.manifest.Portions, (n+1)*archive.Buckets/r.manifest.Portions
	traces := make(map[string][]Row)
	for events, err := range log.Streams(ctx, first, end, archive.Selection{Until: r.manifest.Position}) {
		if err != nil {
			return err
		}
		for _, e := range events {
			if !r.Selection.wants(e) {
				continue
			}
			e.Data = nil // traces say what happened when, not what it was
			row, err := rowOf(e)
			if err != nil {
				return err
			}
			traces[e.Stream] = append(traces[e.Stream], row)
		}
	}
	files := make(map[string]*file)
	defer func() {
		for _, f := range files {
			f.abandon()
		}
	}()
	for _, stream := range slices.Sorted(maps.Keys(traces)) {
		trace := traces[stream]
		month := r.month(&trace[0])
		f, ok := files[month]
		if !ok {
			if f, err = create(r.Dir, filepath.Join(month, fmt.Sprintf("%03d.xes", n)), XES); err != nil {
				return err
			}
			files[month] = f
		}
		for i := range trace {
			if err := f.write(&trace[i]); err != nil {
				return err
			}
		}
		if r.seen += len(trace); r.Observe != nil {
			r.Observe(r.seen)
		}
	}
	for _, month := range slices.Sorted(maps.Keys(files)) {
		made, err := files[month].finish()
		if err != nil {
			return err
		}
		delete(files, month)
		r.manifest.Files = append(r.manifest.Files, made)
	}
	r.manifest.Done = append(r.manifest.Done, n)
	return r.manifest.save(r.Dir)
}

// xesRows writes rows as traces. Those of one stream come together.
type xesRows struct {
	w      io.Writer
	stream string
}

const xesHead = `<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
<extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
<global scope="trace"><string key="concept:name" value=""/></global>
<global scope="event"><string key="concept:name" value=""/><date key="time:timestamp" value="1970-01-01T00:00:00Z"/></global>
<classifier name="fact" keys="concept:name"/>
`

func newXES(w io.Writer) (rows, error) {
	_, err := io.WriteString(w, xesHead)
	return &xesRows{w: w}, err
}

func (x *xesRows) write(r *Row) error {
	var b strings.Builder
	if r.Stream != x.stream {
		if x.stream != "" {
			b.WriteString("</trace>\n")
		}
		x.stream = r.Stream
		b.WriteString("<trace>")
		attribute(&b, "string", "concept:name", r.Stream)
		b.WriteString("\n")
	}
	b.WriteString("<event>")
	attribute(&b, "string", "concept:name", r.Type)
	attribute(&b, "date", "time:timestamp", r.OccurredAt.Format(time.RFC3339Nano))
	attribute(&b, "string", "lifecycle:transition", "complete")
	if r.Principal != "" {
		attribute(&b, "string", "org:resource", r.Principal)
	}
	attribute(&b, "id", "identity:id", r.EventID)
	attribute(&b, "date", "aftercare:recorded", r.RecordedAt.Format(time.RFC3339Nano))
	attribute(&b, "int", "aftercare:revision", strconv.FormatInt(r.Revision, 10))
	if r.Channel != "" {
		attribute(&b, "string", "aftercare:channel", r.Channel)
	}
	b.WriteString("</event>\n")
	_, err := io.WriteString(x.w, b.String())
	return err
}

func attribute(b *strings.Builder, kind, key, value string) {
	fmt.Fprintf(b, `<%s key="%s" value="`, kind, key)
	_ = xml.EscapeText(b, []byte(value)) // a Builder takes everything
	b.WriteString(`"/>`)
}

func (x *xesRows) close() error {
	text := "</log>\n"
	if x.stream != "" {
		text = "</trace>\n" + text
	}
	_, err := io.WriteString(x.w, text)
	return err
}
