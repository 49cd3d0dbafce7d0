package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"aftercare/domain"
)

// manifestName is the file that says what an export holds.
const manifestName = "_export.json"

// version is that of the manifest and of the columns.
const version = 1

// manifest is what an export holds. Files that it does not name are not part of it.
type manifest struct {
	Version   int       `json:"version"`
	Format    Format    `json:"format"`
	Months    Clock     `json:"months"`
	Selection Selection `json:"selection"`
	// Position is up to where the export holds the log, or, of whole streams, is to hold it.
	Position domain.Position `json:"position"`
	// Done are the portions of whole streams that are there, of as many as Portions.
	Done     []int   `json:"done,omitempty"`
	Portions int     `json:"portions,omitempty"`
	Files    []entry `json:"files"`
}

// entry is a file of the export.
type entry struct {
	Name   string `json:"name"`
	Events int    `json:"events"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func (m *manifest) events() (n int) {
	for _, f := range m.Files {
		n += f.Events
	}
	return n
}

// resume reads the manifest of the folder, or begins one, and removes what an interrupted run has left.
func (x Export) resume() (manifest, error) {
	fresh := manifest{Version: version, Format: x.Format, Months: x.Months, Selection: x.Selection, Files: []entry{}}
	text, err := os.ReadFile(filepath.Join(x.Dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		left, err := os.ReadDir(x.Dir)
		if err != nil {
			return fresh, err
		}
		for _, e := range left {
			// The manifest comes before everything else, so not even folders of months are ours.
			if half, _ := filepath.Match(manifestPartial, e.Name()); e.Name() != lockName && !half {
				return fresh, fmt.Errorf("%w: there is %s, and no %s", ErrOther, e.Name(), manifestName)
			}
		}
		if err := fresh.save(x.Dir); err != nil {
			return fresh, err
		}
		return fresh, fresh.tidy(x.Dir)
	}
	if err != nil {
		return fresh, err
	}
	var m manifest
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return fresh, fmt.Errorf("read %s: %w", manifestName, err)
	}
	if m.Version != version || m.Format != x.Format || m.Months != x.Months || !m.Selection.equal(x.Selection) {
		return fresh, fmt.Errorf("%w: %s", ErrOther, text[:min(len(text), 300)])
	}
	return m, m.tidy(x.Dir)
}

// tidy removes files of ours that the manifest does not name.
func (m *manifest) tidy(dir string) error {
	named := make(map[string]bool, len(m.Files))
	for _, f := range m.Files {
		named[f.Name] = true
	}
	// By names within the folder: its own may have what is special in a pattern.
	found, err := fs.Glob(os.DirFS(dir), "month=*/*")
	if err != nil {
		return err
	}
	top, err := fs.Glob(os.DirFS(dir), manifestPartial)
	if err != nil {
		return err
	}
	for _, name := range slices.Concat(found, top) {
		ours := strings.HasSuffix(name, partial) || strings.HasSuffix(name, "."+string(m.Format))
		if ours && !named[name] {
			if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				return err
			}
		}
	}
	return nil
}

// save replaces the manifest.
func (m *manifest) save(dir string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, manifestPartial)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Chmod(0o640), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, manifestName))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", manifestName, err), os.Remove(f.Name()))
	}
	return syncDir(dir)
}

const (
	lockName        = "_lock"
	partial         = ".partial"
	manifestPartial = manifestName + ".*" + partial
)

// ErrBusy says that another process writes the export.
var ErrBusy = errors.New("another process writes this export")

func lock(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrBusy
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
