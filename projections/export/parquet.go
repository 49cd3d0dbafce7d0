package export

import (
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// What is held in memory before it is written: so many rows, or so many bytes of data, which take several times as much.
const (
	rowGroup      = 50_000
	rowGroupBytes = 16 << 20
)

type parquetRows struct {
	w     *parquet.GenericWriter[Row]
	bytes int
}

func newParquet(w io.Writer) rows {
	return &parquetRows{w: parquet.NewGenericWriter[Row](w, parquet.Compression(&zstd.Codec{}), parquet.MaxRowsPerRowGroup(rowGroup),
		parquet.CreatedBy("aftercare", "", ""))}
}

func (p *parquetRows) write(r *Row) error {
	if _, err := p.w.Write([]Row{*r}); err != nil {
		return err
	}
	if p.bytes += len(r.Data); p.bytes < rowGroupBytes {
		return nil
	}
	p.bytes = 0
	return p.w.Flush()
}

func (p *parquetRows) close() error { return p.w.Close() }
