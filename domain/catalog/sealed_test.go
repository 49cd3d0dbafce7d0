package catalog_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/domain/catalog"
	"aftercare/domain/codec"
	"aftercare/domain/seal"
)

// keys seal with AES-GCM under a key per person.
type keys struct{ destroyed map[seal.Subject]bool }

func (keys) of(s seal.Subject) (cipher.AEAD, error) {
	key := sha256.Sum256([]byte(s))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (k keys) Seal(_ context.Context, s seal.Subject, plain, associated []byte) ([]byte, error) {
	aead, err := k.of(s)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, plain, associated), nil //nolint:gosec // the AEAD makes its own random nonce
}

func (k keys) Open(_ context.Context, s seal.Subject, sealed, associated []byte) ([]byte, error) {
	if k.destroyed[s] {
		return nil, seal.ErrForgotten
	}
	aead, err := k.of(s)
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, nil, sealed, associated)
}

// open returns the event with its texts in clear, each saying its path, and these paths.
func open(t *testing.T, c seal.Carrier) (e domain.Event, paths []string) {
	t.Helper()
	e, err := c.MapTexts(func(path string, _ seal.Text) (seal.Text, error) {
		paths = append(paths, path)
		return seal.New("c-1", "clear "+path), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return e, paths
}

// TestTextsOfEveryTypeAreSealedForTheirPlace stores each type with its texts in clear: a text that MapTexts forgets could not be stored, two
// of one path would open in each other's place, and none opens anywhere but where it was sealed.
func TestTextsOfEveryTypeAreSealedForTheirPlace(t *testing.T) {
	t.Parallel()
	carriers := 0
	for name, example := range examples() {
		carrier, ok := example.(seal.Carrier)
		if !ok {
			continue
		}
		carriers++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, paths := open(t, carrier)
			raw := store(t, e)
			if bytes.Contains(raw.Data, []byte("clear ")) {
				t.Fatalf("in clear: %s", raw.Data)
			}
			got, err := catalog.Codec().Decode(t.Context(), keys{}, raw)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(texts(t, e), texts(t, got.Event)); diff != "" {
				t.Errorf("texts (-stored +opened)\n%s", diff)
			}
			if len(texts(t, e)) != len(paths) {
				t.Errorf("two texts have one path: %v", paths)
			}
			moved, shredded := raw, keys{destroyed: map[seal.Subject]bool{"c-1": true}}
			for place, move := range map[string]func(){
				"stream": func() { moved.Stream += "x" },
				"event":  func() { moved.ID[15]++ },
				"person": func() {
					moved.Data = bytes.ReplaceAll(moved.Data, []byte(`"subject":"c-1"`), []byte(`"subject":"c-2"`))
				},
			} {
				moved = raw
				move()
				if got, err := catalog.Codec().Decode(t.Context(), keys{}, moved); err == nil || got.Event != nil {
					t.Errorf("it opens with another %s", place)
				}
			}
			got, err = catalog.Codec().Decode(t.Context(), shredded, raw)
			if err != nil {
				t.Fatal(err)
			}
			for path, text := range texts(t, got.Event) {
				if text != "(forgotten text of c-1)" {
					t.Errorf("%s of a forgotten person is %s", path, text)
				}
			}
		})
	}
	if carriers < 12 {
		t.Errorf("only %d types have texts", carriers)
	}
}

// TestATextDoesNotOpenInAnotherField moves a title to where the description was.
func TestATextDoesNotOpenInAnotherField(t *testing.T) {
	t.Parallel()
	carrier, _ := examples()["ticket.received.v1"].(seal.Carrier)
	e, _ := open(t, carrier)
	raw := store(t, e)
	for _, swap := range [][2]string{{`"title"`, `"was"`}, {`"description"`, `"title"`}, {`"was"`, `"description"`}} {
		raw.Data = bytes.Replace(raw.Data, []byte(swap[0]), []byte(swap[1]), 1)
	}
	if got, err := catalog.Codec().Decode(t.Context(), keys{}, raw); err == nil || got.Event != nil {
		t.Error("the title opens as the description")
	}
}

// asWritten opens the texts of the golden payloads, which say the path they were sealed for.
type asWritten struct{}

func (asWritten) Open(_ context.Context, _ seal.Subject, sealed, associated []byte) ([]byte, error) {
	path := associated[bytes.LastIndexByte(associated, 0)+1:]
	if string(sealed) != "sealed:"+string(path) {
		return nil, fmt.Errorf("%q was not sealed for the path %s", sealed, path)
	}
	return append([]byte("clear "), sealed...), nil
}

// TestTextsOfRetiredTypesOpen finds an upcaster that drops a text, or moves one whose seal then fits nowhere.
func TestTextsOfRetiredTypesOpen(t *testing.T) {
	t.Parallel()
	for _, name := range retired() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(filepath.Join("testdata", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			raw := codec.Raw{Stream: stream, Type: name, Data: data, Metadata: []byte("{}")}
			got, err := catalog.Codec().Decode(t.Context(), asWritten{}, raw)
			if err != nil {
				t.Fatal(err)
			}
			opened := 0
			if _, ok := got.Event.(seal.Carrier); ok {
				for _, text := range texts(t, got.Event) {
					if strings.HasPrefix(text, "clear ") {
						opened++
					}
				}
			}
			if want := bytes.Count(data, []byte(`"sealed":`)); opened != want {
				t.Errorf("%d texts open, want %d", opened, want)
			}
			if got.Type != name {
				t.Errorf("recorded as %s", got.Type)
			}
		})
	}
}

func store(t *testing.T, e domain.Event) codec.Raw {
	t.Helper()
	id := domain.UUID{7}
	encoded, err := catalog.Codec().Encode(t.Context(), keys{}, stream, id, e, domain.Metadata{})
	if err != nil {
		t.Fatal(err)
	}
	return codec.Raw{ID: id, Stream: stream, Type: encoded.Type, Data: encoded.Data, Metadata: encoded.Metadata}
}

// texts are what an event's texts say, or what has become of them, by path.
func texts(t *testing.T, e domain.Event) map[string]string {
	t.Helper()
	said := map[string]string{}
	carrier, ok := e.(seal.Carrier)
	if !ok {
		t.Fatalf("%T has no texts", e)
	}
	_, err := carrier.MapTexts(func(path string, text seal.Text) (seal.Text, error) {
		plain, ok := text.Plain()
		if !ok {
			plain = text.String()
		}
		said[path] = plain
		return text, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return said
}
