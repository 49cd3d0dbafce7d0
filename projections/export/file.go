package export

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"
)

// rows writes rows in a format.
type rows interface {
	write(*Row) error
	// close writes what is left, but does not close what is below.
	close() error
}

// file is one that is being written, under another name.
type file struct {
	rows
	dir, name string
	file      *os.File
	buffer    *bufio.Writer
	sum       hash.Hash
	events    int
}

// create begins a file of an export.
func create(dir, name string, format Format) (*file, error) {
	folder := filepath.Dir(filepath.Join(dir, name))
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(folder, "_*"+partial)
	if err != nil {
		return nil, err
	}
	made := &file{dir: dir, name: name, file: f, sum: sha256.New()}
	made.buffer = bufio.NewWriterSize(io.MultiWriter(f, made.sum), 256<<10)
	switch format {
	case Parquet:
		made.rows = newParquet(made.buffer)
	case NDJSON:
		made.rows = newNDJSON(made.buffer)
	case CSV:
		made.rows, err = newCSV(made.buffer)
	case XES:
		made.rows, err = newXES(made.buffer)
	}
	if err != nil {
		made.abandon()
		return nil, err
	}
	return made, nil
}

func (f *file) write(r *Row) error {
	f.events++
	return f.rows.write(r)
}

// finish gives the file its name.
func (f *file) finish() (entry, error) {
	err := errors.Join(f.close(), f.buffer.Flush())
	var size int64
	if info, e := f.file.Stat(); e == nil {
		size = info.Size()
	}
	err = errors.Join(err, f.file.Chmod(0o640), f.file.Sync(), f.file.Close())
	path := filepath.Join(f.dir, f.name)
	if err == nil {
		err = os.Rename(f.file.Name(), path)
	}
	if err == nil {
		err = errors.Join(syncDir(filepath.Dir(path)), syncDir(f.dir))
	}
	return entry{filepath.ToSlash(f.name), f.events, size, hex.EncodeToString(f.sum.Sum(nil))}, err
}

func (f *file) abandon() {
	_ = f.file.Close()
	_ = os.Remove(f.file.Name())
}
