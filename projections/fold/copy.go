package fold

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// copy appends rows to the table.
func (v *View[R]) copy(ctx context.Context, tx pgx.Tx, rows []R) error {
	if len(rows) == 0 {
		return nil
	}
	quoted := make([]string, len(v.Columns))
	for i, c := range v.Columns {
		quoted[i] = pgx.Identifier{c}.Sanitize()
	}
	columns := strings.Join(quoted, ", ")
	described, err := tx.Prepare(ctx, "", "select "+columns+" from "+v.table())
	if err != nil {
		return fmt.Errorf("copy rows into %s: %w", v.Table, err)
	}
	source := &encoder[R]{rows: rows, types: tx.Conn().TypeMap(), buf: []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")}
	source.values = v.Fields(&source.row)
	for _, f := range described.Fields {
		source.oids = append(source.oids, f.DataTypeOID)
	}
	_, err = tx.Conn().PgConn().CopyFrom(ctx, source, "copy "+v.table()+" ("+columns+") from stdin binary")
	if err != nil {
		return fmt.Errorf("copy rows into %s: %w", v.Table, err)
	}
	return nil
}

// encoder reads as the rows in Postgres's binary format. The types that most columns have are written here; pgx, which finds its way
// to each value by reflection, took as long for them as all folds together. It writes the others.
type encoder[R any] struct {
	rows []R
	// row is the one that is written, and values point to its fields: asking for them anew for each row took as long as writing it.
	row    R
	values []any
	types  *pgtype.Map
	oids   []uint32
	buf    []byte
	read   int
	ended  bool
}

// window is about how many bytes are encoded at once.
const window = 64 << 10

// Read implements io.Reader.
func (e *encoder[R]) Read(p []byte) (int, error) {
	if e.read == len(e.buf) {
		e.buf, e.read = e.buf[:0], 0
	}
	for len(e.buf) < window && len(e.rows) > 0 {
		e.row = e.rows[0]
		if err := e.append(); err != nil {
			return 0, err
		}
		e.rows = e.rows[1:]
	}
	if len(e.rows) == 0 && !e.ended {
		e.ended = true
		e.buf = append(e.buf, 0xff, 0xff)
	}
	if e.read == len(e.buf) {
		return 0, io.EOF
	}
	n := copy(p, e.buf[e.read:])
	e.read += n
	return n, nil
}

// append writes the row.
func (e *encoder[R]) append() error {
	e.buf = binary.BigEndian.AppendUint16(e.buf, uint16(len(e.values))) //nolint:gosec // a table has 1600 columns at most
	for i, value := range e.values {
		start := len(e.buf)
		e.buf = append(e.buf, 0, 0, 0, 0)
		length := -1
		if null(value) {
			binary.BigEndian.PutUint32(e.buf[start:], uint32(int32(length))) //nolint:gosec // the same bits
			continue
		}
		if written, known := appendValue(e.buf, e.oids[i], value); known {
			e.buf = written
			length = len(e.buf) - start - 4
		} else {
			written, err := e.types.Encode(e.oids[i], pgtype.BinaryFormatCode, value, e.buf)
			if err != nil {
				return fmt.Errorf("column %d: %w", i+1, err)
			}
			if written != nil {
				e.buf = written
				length = len(e.buf) - start - 4
			}
		}
		binary.BigEndian.PutUint32(e.buf[start:], uint32(int32(length))) //nolint:gosec // Postgres takes 1 GB at most
	}
	return nil
}

// null reports whether the pointer points to nothing, of the types of columns that may be null.
func null(pointer any) bool {
	switch p := pointer.(type) {
	case **string:
		return *p == nil
	case **time.Time:
		return *p == nil
	case **int64:
		return *p == nil
	}
	return false
}

// appendValue appends what the pointer points to, in the binary format of the type. It reports whether it knows how to.
func appendValue(buf []byte, oid uint32, pointer any) ([]byte, bool) {
	switch p := pointer.(type) {
	case *string:
		if oid == pgtype.TextOID {
			return append(buf, *p...), true
		}
	case **string:
		if oid == pgtype.TextOID {
			return append(buf, **p...), true
		}
	case *time.Time:
		if oid == pgtype.TimestamptzOID {
			return appendInstant(buf, *p), true
		}
	case **time.Time:
		if oid == pgtype.TimestamptzOID {
			return appendInstant(buf, **p), true
		}
	case *[16]byte:
		if oid == pgtype.UUIDOID {
			return append(buf, p[:]...), true
		}
	case *int:
		if oid == pgtype.Int4OID && math.MinInt32 <= *p && *p <= math.MaxInt32 {
			return binary.BigEndian.AppendUint32(buf, uint32(int32(*p))), true //nolint:gosec // in its range
		}
	case *int64:
		if oid == pgtype.Int8OID {
			return binary.BigEndian.AppendUint64(buf, uint64(*p)), true //nolint:gosec // the same bits
		}
	case **int64:
		if oid == pgtype.Int8OID {
			return binary.BigEndian.AppendUint64(buf, uint64(**p)), true //nolint:gosec // the same bits
		}
	case *bool:
		if oid == pgtype.BoolOID {
			if *p {
				return append(buf, 1), true
			}
			return append(buf, 0), true
		}
	case *uint64:
		if oid == pgtype.Int8OID && *p <= math.MaxInt64 {
			return binary.BigEndian.AppendUint64(buf, *p), true
		}
	case *json.RawMessage:
		if len(*p) > 0 && oid == pgtype.JSONBOID {
			const version = 1
			return append(append(buf, version), *p...), true
		}
	}
	return buf, false
}

// epoch is where Postgres counts from.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro() //nolint:gochecknoglobals // constant

func appendInstant(buf []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(buf, uint64(t.UnixMicro()-epoch)) //nolint:gosec // the same bits
}
