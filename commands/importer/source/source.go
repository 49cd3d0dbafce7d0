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
	// Broken, when set, is told each file or archive that cannot be unpacked, with its name, and the rest goes on. Otherwise the first
	// one ends the reading.
	Broken func(name string, err error) error
}

func (f Filter) broken(name string, err error) error {
	if f.Broken == nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return f.Broken(name, err)
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

// Format returns the ending of the file's name that says what it is, such as "csv", in lower case; compression is not what it is.
func (f File) Format() string {
	name := strings.ToLower(f.Name)
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".xz")
	return strings.TrimPrefix(path.Ext(name), ".")
}

// Each calls f with every file under the paths, in the order of the paths and of names within folders; archives are read in
// their own order. Known are .zip, .tar, .tar.gz, .tgz, .tar.xz, .txz, and .gz or .xz around one file. A file that is reached twice,
// as by its name and by that of its folder, is read once. Hidden files and folders, and what macOS adds to archives, are passed
// over. It stops at the first error of f.
func Each(ctx context.Context, paths []string, filter Filter, f func(File) error) error {
	seen := map[string]bool{}
	once := func(name string) error {
		target, err := filepath.EvalSymlinks(name)
		if err == nil {
			target, err = filepath.Abs(target)
		}
		if err != nil {
			return fmt.Errorf("open source: %w", err)
		}
		if seen[target] {
			return nil
		}
		seen[target] = true
		return file(ctx, name, filter, f)
	}
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return fmt.Errorf("open source: %w", err)
		}
		if !info.IsDir() {
			if err := once(p); err != nil {
				return err
			}
			continue
		}
		err = filepath.WalkDir(p, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case name != p && hidden(d.Name()) && d.IsDir():
				return filepath.SkipDir
			case d.IsDir() || hidden(d.Name()) || !archive(name) && !filter.takes(d.Name()):
				return nil
			}
			if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() { // a pipe, or a link to nowhere or a folder
				return nil //nolint:nilerr // as in any other folder listing
			}
			return once(name)
		})
		if err != nil {
			return fmt.Errorf("read folder %s: %w", p, err)
		}
	}
	return nil
}

// hidden reports whether a name of a file or folder is not meant for people.
func hidden(base string) bool {
	return strings.HasPrefix(base, ".") && base != "." && base != ".." || strings.HasPrefix(base, "~$") || base == "__MACOSX"
}

func (f Filter) takes(name string) bool {
	name = strings.ReplaceAll(name, `\`, "/") // as some archives have it
	if slices.ContainsFunc(strings.Split(name, "/"), hidden) {
		return false
	}
	base := strings.ToLower(path.Base(name))
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".xz")
	match := func(pattern string) bool {
		ok, err := path.Match(strings.ToLower(pattern), base)
		return err == nil && ok
	}
	if slices.ContainsFunc(f.Exclude, match) {
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
	opened, err := os.Open(name)
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
		return filter.broken(name, err)
	}
	if strings.HasSuffix(inner, ".tar") {
		return tarred(ctx, r, name, filter, f)
	}
	return f(File{name, r})
}

// packings are the endings of compressed names, and what their place takes.
var packings = []struct {
	ending, inner string
	open          func(io.Reader) (io.Reader, error)
}{
	{".tgz", ".tar", openGzip}, {".txz", ".tar", openXZ}, {".gz", "", openGzip}, {".xz", "", openXZ},
}

func openGzip(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }
func openXZ(r io.Reader) (io.Reader, error)   { return xz.NewReader(r) }

// unpack undoes one compression and returns the name without its ending. Names are in lower case.
func unpack(r io.Reader, name string) (io.Reader, string, error) {
	for _, p := range packings {
		rest, ok := strings.CutSuffix(name, p.ending)
		if !ok {
			continue
		}
		unpacked, err := p.open(r)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return unpacked, rest + p.inner, err
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
		return filter.broken(name, err)
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
			if err := filter.broken(name+"!"+entry.Name, err); err != nil {
				return err
			}
			continue
		}
		err = member(r, name, entry.Name, filter, f)
		_ = r.Close() // what was wrong was met when reading
		if err != nil {
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
			return filter.broken(name, err)
		}
		if h.Typeflag != tar.TypeReg || !filter.takes(h.Name) {
			continue
		}
		if err := member(t, name, h.Name, filter, f); err != nil {
			return err
		}
	}
}

func member(r io.Reader, archive, name string, filter Filter, f func(File) error) error {
	full := archive + "!" + name
	in, _, err := unpack(r, strings.ToLower(name))
	if err != nil {
		return filter.broken(full, err)
	}
	return f(File{full, in})
}
