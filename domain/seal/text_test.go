package seal_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain/seal"
)

// vault seals by writing the binding before the text, so that another binding does not open it; persons can be forgotten.
type vault struct {
	forgotten map[seal.Subject]bool
	asked     []seal.Subject
	broken    error
}

func (v *vault) Seal(_ context.Context, subject seal.Subject, plain, associated []byte) ([]byte, error) {
	if v.broken != nil {
		return nil, v.broken
	}
	v.asked = append(v.asked, subject)
	return append(append([]byte(subject+"\x00"), associated...), plain...), nil
}

var errElsewhere = errors.New("sealed for another place")

func (v *vault) Open(_ context.Context, subject seal.Subject, sealed, associated []byte) ([]byte, error) {
	if v.broken != nil {
		return nil, v.broken
	}
	if v.forgotten[subject] {
		return nil, seal.ErrForgotten
	}
	prefix := string(subject) + "\x00" + string(associated)
	if len(sealed) < len(prefix) || string(sealed[:len(prefix)]) != prefix {
		return nil, errElsewhere
	}
	return sealed[len(prefix):], nil
}

var (
	place     = seal.Binding{Stream: "ticket-1", EventID: [16]byte{1}, Path: "title"}
	elsewhere = seal.Binding{Stream: "ticket-1", EventID: [16]byte{1}, Path: "description"}
)

func sealed(t *testing.T, v *vault, text seal.Text) seal.Text {
	t.Helper()
	got, err := seal.Seal(t.Context(), v, text, place)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// stored is the text as it comes back from the log.
func stored(t *testing.T, text seal.Text) (back seal.Text) {
	t.Helper()
	data, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

func TestTextInClearCannotBeStored(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(struct{ Title seal.Text }{seal.New("c-1", "It leaks")})
	if !errors.Is(err, seal.ErrUnsealed) {
		t.Errorf("got %s, %v, want %v", data, err, seal.ErrUnsealed)
	}
}

func TestSealedTextComesBackFromTheLog(t *testing.T) {
	t.Parallel()
	v := &vault{}
	text := stored(t, sealed(t, v, seal.New("c-1", "It leaks")))
	if plain, ok := text.Plain(); ok || plain != "" || text.IsZero() || text.Forgotten() {
		t.Fatalf("before it is opened: got %q, zero %v, forgotten %v", plain, text.IsZero(), text.Forgotten())
	}
	opened, err := seal.Open(t.Context(), v, text, place)
	if err != nil {
		t.Fatal(err)
	}
	if plain, ok := opened.Plain(); !ok || plain != "It leaks" || opened.Subject() != "c-1" {
		t.Errorf("got %q, %v of %s, want the text of c-1", plain, ok, opened.Subject())
	}
	if !stored(t, opened).Equal(text) {
		t.Error("an opened text is stored as something else than it came from")
	}
}

func TestSealedTextOpensNowhereElse(t *testing.T) {
	t.Parallel()
	v := &vault{}
	text := stored(t, sealed(t, v, seal.New("c-1", "It leaks")))
	for name, b := range map[string]seal.Binding{
		"another field":  elsewhere,
		"another event":  {Stream: place.Stream, EventID: [16]byte{2}, Path: place.Path},
		"another stream": {Stream: "ticket-2", EventID: place.EventID, Path: place.Path},
	} {
		if got, err := seal.Open(t.Context(), v, text, b); !errors.Is(err, errElsewhere) || !got.Equal(text) {
			t.Errorf("%s: got %v, want %v", name, err, errElsewhere)
		}
	}
}

func TestBindingsOfDifferentPlacesDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]seal.Binding{}
	for _, b := range []seal.Binding{
		place, elsewhere, {}, {Stream: "a", Path: "b"}, {Stream: "ab"}, {Path: "ab"}, {Stream: "b", Path: "a"}, {Stream: "a", EventID: [16]byte{9}, Path: "b"},
	} {
		if other, twice := seen[string(b.Bytes())]; twice {
			t.Errorf("%+v is bound as %+v is", b, other)
		}
		seen[string(b.Bytes())] = b
	}
}

func TestTextOfAForgottenPersonIsForgotten(t *testing.T) {
	t.Parallel()
	v := &vault{}
	text := stored(t, sealed(t, v, seal.New("c-1", "It leaks")))
	v.forgotten = map[seal.Subject]bool{"c-1": true}
	got, err := seal.Open(t.Context(), v, text, place)
	if err != nil {
		t.Fatal(err)
	}
	if plain, ok := got.Plain(); ok || plain != "" || !got.Forgotten() || got.IsZero() {
		t.Errorf("got %q, forgotten %v, zero %v, want forgotten", plain, got.Forgotten(), got.IsZero())
	}
	if !stored(t, got).Equal(text) {
		t.Error("a forgotten text is stored as something else than it came from")
	}
}

func TestFailuresOfTheKeysAreNotTakenForForgetting(t *testing.T) {
	t.Parallel()
	down := errors.New("no keys now")
	text := sealed(t, &vault{}, seal.New("c-1", "It leaks"))
	if got, err := seal.Open(t.Context(), &vault{broken: down}, text, place); !errors.Is(err, down) || got.Forgotten() {
		t.Errorf("opened: got %v, forgotten %v, want %v", err, got.Forgotten(), down)
	}
	if got, err := seal.Seal(t.Context(), &vault{broken: down}, seal.New("c-1", "x"), place); !errors.Is(err, down) || !got.Equal(seal.New("c-1", "x")) {
		t.Errorf("sealed: got %v, want %v", err, down)
	}
}

func TestAbsentTextNeedsNoKey(t *testing.T) {
	t.Parallel()
	v := &vault{broken: errors.New("asked for a key")}
	for name, text := range map[string]seal.Text{"zero": {}, "empty": seal.New("c-1", ""), "null": stored(t, seal.Text{})} {
		if !text.IsZero() || text.Subject() != "" {
			t.Errorf("%s: is not absent", name)
		}
		closed, err := seal.Seal(t.Context(), v, text, place)
		if err != nil || !closed.IsZero() {
			t.Errorf("%s: sealed: got %v", name, err)
		}
		opened, err := seal.Open(t.Context(), v, text, place)
		if err != nil || !opened.IsZero() {
			t.Errorf("%s: opened: got %v", name, err)
		}
	}
}

func TestTextThatWasOpenedElsewhereIsSealedForItsNewPlace(t *testing.T) {
	t.Parallel()
	v := &vault{}
	opened, err := seal.Open(t.Context(), v, stored(t, sealed(t, v, seal.New("c-1", "It leaks"))), place)
	if err != nil {
		t.Fatal(err)
	}
	moved, err := seal.Seal(t.Context(), v, opened, elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	again, err := seal.Open(t.Context(), v, stored(t, moved), elsewhere)
	if plain, _ := again.Plain(); err != nil || plain != "It leaks" {
		t.Errorf("got %q, %v, want the text", plain, err)
	}
	if diff := cmp.Diff([]seal.Subject{"c-1", "c-1"}, v.asked); diff != "" {
		t.Errorf("keys asked for (-want +got):\n%s", diff)
	}
}

func TestTextsAreEqualWhenTheySayTheSameAboutTheSamePerson(t *testing.T) {
	t.Parallel()
	one := seal.New("c-1", "It leaks")
	for name, other := range map[string]seal.Text{
		"another person": seal.New("c-2", "It leaks"), "another text": seal.New("c-1", "It drips"), "absent": {}, "sealed": sealed(t, &vault{}, one),
	} {
		if one.Equal(other) {
			t.Errorf("equal to one of %s", name)
		}
	}
	if !one.Equal(seal.New("c-1", "It leaks")) {
		t.Error("not equal to itself")
	}
}

func TestAPersonWithoutATextIsMalformed(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`{}`, `{"subject":"c-1"}`, `{"subject":"c-1","sealed":null}`, `{"subject":1,"sealed":"AAEC"}`, `{"subject":"c-1","sealed":"*"}`} {
		var text seal.Text
		if err := json.Unmarshal([]byte(data), &text); err == nil || !text.IsZero() {
			t.Errorf("%s: got %v, want an error", data, text)
		}
	}
}

// FuzzStoredText reads any bytes as a text: they are refused, or a text that never is in clear and is written as it was read.
func FuzzStoredText(f *testing.F) {
	for _, s := range []string{
		`null`, `{}`, `{"subject":"c-1","sealed":"AAEC"}`, `{"sealed":""}`, `{"sealed":null}`, `{"plain":"It leaks"}`, `"It leaks"`, `{"sealed":"*"}`, `[]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var text seal.Text
		if json.Unmarshal(data, &text) != nil {
			return
		}
		if plain, ok := text.Plain(); ok || plain != "" {
			t.Fatalf("%s is in clear: %q", data, plain)
		}
		if _, err := json.Marshal(text); err != nil {
			t.Fatalf("%s was read and cannot be written: %v", data, err)
		}
		if !stored(t, text).Equal(text) {
			t.Errorf("%s is written as something else", data)
		}
	})
}

func TestATextKnowsWhereItWasSealed(t *testing.T) {
	t.Parallel()
	v := &vault{}
	moved := stored(t, sealed(t, v, seal.New("li", "no heat"))).SealedAt(place.Path)
	if _, err := seal.Seal(t.Context(), v, moved, elsewhere); !errors.Is(err, seal.ErrMoved) {
		t.Errorf("sealed for another field: %v, want %v", err, seal.ErrMoved)
	}
	if _, err := seal.Seal(t.Context(), v, moved, place); err != nil {
		t.Errorf("left where it was: %v", err)
	}
	opened, err := seal.Open(t.Context(), v, moved, elsewhere)
	if plain, _ := opened.Plain(); err != nil || plain != "no heat" {
		t.Errorf("opened in another field: %q, %v", plain, err)
	}
	again, err := seal.Seal(t.Context(), v, opened, elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := seal.Open(t.Context(), v, stored(t, again), elsewhere); err != nil || !back.Equal(again) {
		t.Errorf("sealed anew for that field: %v, %v", back, err)
	}
	v.forgotten = map[seal.Subject]bool{"li": true}
	forgotten, err := seal.Open(t.Context(), v, moved, elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Seal(t.Context(), v, forgotten, elsewhere); err != nil {
		t.Errorf("a forgotten text opens nowhere, so it may be anywhere: %v", err)
	}
}
