package metric

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Definition is a metric: its three files.
type Definition struct {
	Manifest

	// YAML, Create and Apply are the files as they were written.
	YAML, Create, Apply string

	creates, applies []statement
}

//go:embed examples
var shipped embed.FS

// Shipped returns the names of the metrics that come with the program.
func Shipped() []string {
	entries, err := fs.ReadDir(shipped, "examples")
	if err != nil {
		panic("metric: " + err.Error()) // they are in the program
	}
	list := make([]string, len(entries))
	for i, e := range entries {
		list[i] = e.Name()
	}
	return list
}

// Find returns the metric in a folder, or the shipped one of that name when there is no such folder.
func Find(place string) (Definition, error) {
	if _, err := os.Stat(place); errors.Is(err, fs.ErrNotExist) && slices.Contains(Shipped(), place) {
		folder, err := fs.Sub(shipped, "examples/"+place)
		if err != nil {
			return Definition{}, fmt.Errorf("open the shipped metric %s: %w", place, err)
		}
		return Read(folder)
	}
	if info, err := os.Stat(place); err == nil && !info.IsDir() {
		place = filepath.Dir(place) // somebody named metric.yaml itself
	}
	return Read(os.DirFS(place))
}

// Read reads the three files of a folder. It returns an error that wraps [ErrInvalid], with everything that is wrong, for files
// that no database is needed to refuse.
func Read(folder fs.FS) (Definition, error) {
	var (
		found    [3]string
		problems []error
	)
	for i, name := range []string{"metric.yaml", "create.sql", "apply.sql"} {
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			problems = append(problems, fmt.Errorf("%w: a metric is a folder with metric.yaml, create.sql and apply.sql: %w", ErrInvalid, err))
		}
		found[i] = string(text)
	}
	if len(problems) > 0 {
		return Definition{}, errors.Join(problems...)
	}
	return New(found[0], found[1], found[2])
}

// New makes a metric of the texts of its files. Its errors are those of [Read].
func New(manifest, create, apply string) (Definition, error) {
	d := Definition{YAML: manifest, Create: create, Apply: apply}
	var errs [3]error
	d.Manifest, errs[0] = ParseManifest([]byte(manifest))
	d.creates, errs[1] = allowed("create.sql", create, creates)
	d.applies, errs[2] = allowed("apply.sql", apply, applies)
	return d, errors.Join(errs[:]...)
}

// fingerprint identifies what the tables hold: the three files.
func (d Definition) fingerprint() string {
	sum := sha256.New()
	for _, text := range []string{d.YAML, d.Create, d.Apply} {
		fmt.Fprintf(sum, "%d:%s", len(text), text)
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// mark is what the schema of a metric's tables says of it.
func (d Definition) mark() string {
	return fmt.Sprintf("metric %s, version %d, %s", d.Name, d.Version, d.fingerprint())
}
