package export

import (
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// rowGroup is how many rows are held in memory before they are written.
const rowGroup = 50_000

type parquetRows struct{ w *parquet.GenericWriter[Row] }

func newParquet(w io.Writer) rows {
	return parquetRows{parquet.NewGenericWriter[Row](w, parquet.Compression(&zstd.Codec{}), parquet.MaxRowsPerRowGroup(rowGroup),
		parquet.CreatedBy("aftercare", "", ""))}
}

func (p parquetRows) write(r *Row) error {
	_, err := p.w.Write([]Row{*r})
	return err
}

func (p parquetRows) close() error { return p.w.Close() }
