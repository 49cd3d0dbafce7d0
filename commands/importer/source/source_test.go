package source_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"

	"aftercare/commands/importer/source"
)

func put(t *testing.T, dir, name string, text []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func packed(t *testing.T, open func(io.Writer) (io.WriteCloser, error), text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err == nil {
		_, err = w.Write(text)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t *testing.T, text string) []byte {
	t.Helper()
	return packed(t, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }, []byte(text))
}

func xzed(t *testing.T, text []byte) []byte {
	t.Helper()
	return packed(t, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }, text)
}

func zipped(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		w, err := z.Create(name)
		if err == nil && !strings.HasSuffix(name, "/") {
			text := []byte(name)
			if strings.HasSuffix(name, ".gz") {
				text = gzipped(t, name)
			}
			_, err = w.Write(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarred(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range names {
		err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(name)), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = w.Write([]byte(name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// each returns "name=text" of every file, with names from dir on, and "name!" of the broken ones.
func each(t *testing.T, dir string, f source.Filter, paths ...string) (all []string) {
	t.Helper()
	short := func(name string) string {
		return filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(name, dir), string(filepath.Separator)))
	}
	f.Broken = func(name string, _ error) error {
		all = append(all, short(name)+" is broken")
		return nil
	}
	err := source.Each(t.Context(), paths, f, func(f source.File) error {
		text, err := io.ReadAll(f)
		if err != nil {
			all = append(all, short(f.Name)+" ends early")
			return nil //nolint:nilerr // that it ends early is what is wanted
		}
		all = append(all, short(f.Name)+" "+f.Format()+" "+string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEach(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "b/2.csv", []byte("two"))
	put(t, dir, "a.CSV", []byte("one"))
	put(t, dir, "b/c/d.csv.gz", gzipped(t, "three"))
	put(t, dir, "b/c/e.csv.xz", xzed(t, []byte("four")))
	put(t, dir, "b/skip.csv", []byte("no"))
	put(t, dir, "b/readme.txt", []byte("no"))
	put(t, dir, ".git/x.csv", []byte("no"))
	put(t, dir, "__MACOSX/x.csv", []byte("no"))
	put(t, dir, "._a.csv", []byte("no"))
	put(t, dir, "~$a.csv", []byte("no"))
	put(t, dir, "._z.zip", []byte("no"))
	put(t, dir, "f.zip", zipped(t, "in/", "in/1.csv", "__MACOSX/in/1.csv", "__MACOSX/in/._1.csv", ".DS_Store", "win\\2.csv", "3.csv.gz", "in/skip.csv", "4.txt"))
	put(t, dir, "g.tar.xz", xzed(t, tarred(t, "./x/1.csv", "./x/._1.csv", "x/2.txt")))
	put(t, dir, "h.tgz", gzipped(t, string(tarred(t, "1.csv"))))
	put(t, dir, "i.tar", tarred(t, "1.csv"))
	f := source.Filter{Include: []string{"*.csv"}, Exclude: []string{"SKIP.csv"}}
	want := []string{
		"a.CSV csv one", "b/2.csv csv two", "b/c/d.csv.gz csv three", "b/c/e.csv.xz csv four",
		"f.zip!in/1.csv csv in/1.csv", "f.zip!win\\2.csv csv win\\2.csv", "f.zip!3.csv.gz csv 3.csv.gz",
		"g.tar.xz!./x/1.csv csv ./x/1.csv", "h.tgz!1.csv csv 1.csv", "i.tar!1.csv csv 1.csv",
	}
	if diff := cmp.Diff(want, each(t, dir, f, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	// A file that is named is taken, once.
	named := filepath.Join(dir, "b", "skip.csv")
	if err := os.Symlink(named, filepath.Join(dir, "link.csv")); err != nil {
		t.Fatal(err)
	}
	want = []string{"b/skip.csv csv no"}
	if diff := cmp.Diff(want, each(t, dir, f, named, named, filepath.Join(dir, "b", "..", "b", "skip.csv"), filepath.Join(dir, "link.csv"))); diff != "" {
		t.Errorf("named (-want +got):\n%s", diff)
	}
}

func TestDamagedFilesAreToldAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "a.csv.gz", nil)
	put(t, dir, "b.csv.gz", gzipped(t, strings.Repeat("long enough ", 1000))[:40])
	put(t, dir, "c.zip", nil)
	whole := zipped(t, "1.csv", "2.csv")
	put(t, dir, "d.zip", whole[:len(whole)-10])
	put(t, dir, "e.tar.xz", xzed(t, tarred(t, "1.csv"))[:60])
	cut := tarred(t, "1.csv", "2.csv")
	put(t, dir, "f.tar", cut[:1024+512+2])
	put(t, dir, "g.tar", cut[:1024+100])
	put(t, dir, "h.csv", []byte("fine"))
	put(t, dir, "i.txz", []byte("no xz"))
	got := each(t, dir, source.Filter{Include: []string{"*.csv"}}, dir)
	want := []string{
		"a.csv.gz is broken", "b.csv.gz ends early", "c.zip is broken", "d.zip is broken", "e.tar.xz is broken",
		"f.tar!1.csv csv 1.csv", "f.tar!2.csv ends early", "f.tar is broken",
		"g.tar!1.csv csv 1.csv", "g.tar is broken", "h.csv csv fine", "i.txz is broken",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestEachStops(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := put(t, dir, "a.csv", []byte("one"))
	stop := errors.New("stop")
	if err := source.Each(t.Context(), []string{dir, path}, source.Filter{}, func(source.File) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if err := source.Each(t.Context(), []string{filepath.Join(dir, "gone")}, source.Filter{}, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if err := source.Each(t.Context(), []string{put(t, dir, "b.zip", nil)}, source.Filter{}, nil); err == nil {
		t.Error("a broken archive is passed over although nobody is told")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := source.Each(ctx, []string{path}, source.Filter{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestBytesReadAddUpToTheSize(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, dir, "a.csv", []byte("one"))
	put(t, dir, "b/b.csv.gz", gzipped(t, "two"))
	size, err := source.Size([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	var read atomic.Int64
	each(t, dir, source.Filter{Read: &read}, dir)
	if read.Load() != size || size == 0 {
		t.Errorf("read %d of %d bytes", read.Load(), size)
	}
	if _, err := source.Size([]string{filepath.Join(dir, "gone")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
