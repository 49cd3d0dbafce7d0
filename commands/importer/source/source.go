// Package source opens what a user names on the command line: files, folders, and archives of files.
package source

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/ulikunitz/xz"
)

// Filter chooses files of folders and archives by their base name. A file named by the user is always taken.
type Filter struct {
	// Include and Exclude are patterns of path.Match, compared without case. An empty Include takes everything.
	Include, Exclude []string
	// Read, when set, counts the bytes read of the files named, as they lie on disk.
	Read *atomic.Int64
}

// Size returns the bytes of the files under the paths, as they lie on disk.
func Size(paths []string) (total int64, err error) {
	for _, p := range paths {
		err := filepath.WalkDir(p, func(_ string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			info, err := d.Info()
			if err == nil {
				total += info.Size()
			}
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("size of source: %w", err)
		}
	}
	return total, nil
}

// counted counts what is read of a file.
type counted struct {
	*os.File
	n *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.File.Read(p)
	if c.n != nil {
		c.n.Add(int64(n))
	}
	return n, err
}

func (c counted) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.File.ReadAt(p, off)
	if c.n != nil {
		c.n.Add(int64(n))
	}
	return n, err
}

// File is one file to read. Name says where it is, as "archive.zip!folder/file.csv".
type File struct {
	Name string
	io.Reader
}

// Each calls f with every file under the paths, in the order of the paths and of names within folders; archives are read in
// their own order. Known are .zip, .tar, .tar.gz, .tgz, .tar.xz, .txz, and .gz or .xz around one file. It stops at the first
// error of f.
func Each(ctx context.Context, paths []string, filter Filter, f func(File) error) error {
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return fmt.Errorf("open source: %w", err)
		}
		if !info.IsDir() {
			if err := file(ctx, p, filter, f); err != nil {
				return err
			}
			continue
		}
		err = filepath.WalkDir(p, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if !archive(name) && !filter.takes(name) {
				return nil
			}
			return file(ctx, name, filter, f)
		})
		if err != nil {
			return fmt.Errorf("read folder %s: %w", p, err)
		}
	}
	return nil
}

func (f Filter) takes(name string) bool {
	base := strings.ToLower(path.Base(filepath.ToSlash(name)))
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".xz")
	match := func(pattern string) bool {
		ok, err := path.Match(strings.ToLower(pattern), base)
		return err == nil && ok
	}
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "~$") || slices.ContainsFunc(f.Exclude, match) {
		return false
	}
	return len(f.Include) == 0 || slices.ContainsFunc(f.Include, match)
}

func archive(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz"}, func(ext string) bool {
		return strings.HasSuffix(name, ext)
	})
}

func file(ctx context.Context, name string, filter Filter, f func(File) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	opened, err := os.Open(name) //nolint:gosec // the user names the file
	if err != nil {
		return fmt.Errorf("open source: %w", err)
	}
	in := counted{opened, filter.Read}
	defer func() { _ = in.Close() }()
	lower := strings.ToLower(name)
	if strings.HasSuffix(lower, ".zip") {
		return zipped(ctx, in, name, filter, f)
	}
	r, inner, err := unpack(bufio.NewReaderSize(in, 1<<16), lower)
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	if strings.HasSuffix(inner, ".tar") {
		return tarred(ctx, r, name, filter, f)
	}
	return f(File{name, r})
}

// unpack undoes one compression and returns the name without its ending.
func unpack(r io.Reader, name string) (io.Reader, string, error) {
	switch {
	case strings.HasSuffix(name, ".tgz"):
		z, err := gzip.NewReader(r)
		return z, strings.TrimSuffix(name, "tgz") + "tar", err
	case strings.HasSuffix(name, ".txz"):
		z, err := xz.NewReader(r)
		return z, strings.TrimSuffix(name, "txz") + "tar", err
	case strings.HasSuffix(name, ".gz"):
		z, err := gzip.NewReader(r)
		return z, strings.TrimSuffix(name, ".gz"), err
	case strings.HasSuffix(name, ".xz"):
		z, err := xz.NewReader(r)
		return z, strings.TrimSuffix(name, ".xz"), err
	}
	return r, name, nil
}

func zipped(ctx context.Context, in counted, name string, filter Filter, f func(File) error) error {
	info, err := in.Stat()
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	z, err := zip.NewReader(in, info.Size())
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	for _, entry := range z.File {
		if entry.FileInfo().IsDir() || !filter.takes(entry.Name) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := entry.Open()
		if err != nil {
			return fmt.Errorf("open %s!%s: %w", name, entry.Name, err)
		}
		err = member(r, name, entry.Name, f)
		if err := errors.Join(err, r.Close()); err != nil {
			return err
		}
	}
	return nil
}

func tarred(ctx context.Context, r io.Reader, name string, filter Filter, f func(File) error) error {
	t := tar.NewReader(r)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if h.Typeflag != tar.TypeReg || !filter.takes(h.Name) {
			continue
		}
		if err := member(t, name, h.Name, f); err != nil {
			return err
		}
	}
}

func member(r io.Reader, archive, name string, f func(File) error) error {
	full := archive + "!" + name
	in, _, err := unpack(r, strings.ToLower(name))
	if err != nil {
		return fmt.Errorf("open %s: %w", full, err)
	}
	return f(File{full, in})
}
