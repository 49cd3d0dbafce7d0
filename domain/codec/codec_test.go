package codec_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/domain/seal"
)

// letter is an event with two sealed parts.
type letter struct {
	At    time.Time `json:"at"`
	Pages int       `json:"pages"`
	Title seal.Text `json:"title,omitzero"`
	Body  seal.Text `json:"body,omitzero"`
}

func (letter) EventType() string       { return "test.letter.v2" }
func (l letter) OccurredAt() time.Time { return l.At }

func (l letter) MapTexts(f func(string, seal.Text) (seal.Text, error)) (_ domain.Event, err error) {
	if l.Title, err = f("title", l.Title); err != nil {
		return nil, err
	}
	l.Body, err = f("body", l.Body)
	return l, err
}

// oldLetter is how letters were stored once.
type oldLetter struct {
	At time.Time `json:"at"`
	// Sheets had two pages each.
	Sheets int `json:"sheets"`
}

func letters() *codec.Codec {
	return codec.New(
		codec.JSON[letter](),
		codec.Upcast("test.letter.v1", func(old oldLetter) letter { return letter{At: old.At, Pages: 2 * old.Sheets} }),
	)
}

// keys seals by writing the binding before the text.
type keys struct{ err error }

var errElsewhere = errors.New("sealed for another place")

func (k keys) Seal(_ context.Context, s seal.Subject, plain, associated []byte) ([]byte, error) {
	return bytes.Join([][]byte{[]byte(s), associated, plain}, []byte("|")), k.err
}

func (k keys) Open(_ context.Context, s seal.Subject, sealed, associated []byte) ([]byte, error) {
	plain, ok := bytes.CutPrefix(sealed, []byte(string(s)+"|"+string(associated)+"|"))
	if !ok {
		return nil, errElsewhere
	}
	return plain, k.err
}

const stream = "test-1"

var (
	eventID = domain.UUID{7}
	sent    = letter{
		At: time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC), Pages: 3, Title: seal.New("c-1", "To <you> & me"), Body: seal.New("c-2", "…"),
	}
	meta = domain.Metadata{CommandID: domain.UUID{1}, Principal: domain.Principal{ID: "ann", Roles: []string{"agent"}}, Channel: "cli"}
)

// stored is a letter as it comes from the log.
func stored(t *testing.T) codec.Raw {
	t.Helper()
	encoded, err := letters().Encode(t.Context(), keys{}, stream, eventID, sent, meta)
	if err != nil {
		t.Fatal(err)
	}
	return codec.Raw{
		ID: eventID, Stream: stream, Revision: 4, Position: domain.Position{Commit: 9, Prepare: 8}, RecordedAt: sent.At.Add(time.Minute),
		Type: encoded.Type, Data: encoded.Data, Metadata: encoded.Metadata,
	}
}

func TestAnEventComesBackFromTheLog(t *testing.T) {
	t.Parallel()
	raw := stored(t)
	got, err := letters().Decode(t.Context(), keys{}, raw)
	if err != nil {
		t.Fatal(err)
	}
	back, ok := got.Event.(letter)
	if !ok {
		t.Fatalf("got a %T, want a letter", got.Event)
	}
	for name, pair := range map[string][2]seal.Text{"title": {sent.Title, back.Title}, "body": {sent.Body, back.Body}} {
		want, _ := pair[0].Plain()
		if plain, _ := pair[1].Plain(); plain != want || pair[1].Subject() != pair[0].Subject() {
			t.Errorf("%s: got %q of %s, want %q of %s", name, plain, pair[1].Subject(), want, pair[0].Subject())
		}
	}
	if !back.At.Equal(sent.At) || back.Pages != sent.Pages {
		t.Errorf("got %+v, want %+v", back, sent)
	}
	got.Event = nil
	want := domain.Recorded{
		ID: raw.ID, Stream: raw.Stream, Revision: raw.Revision, Position: raw.Position, RecordedAt: raw.RecordedAt, Type: raw.Type, Metadata: meta,
	}
	want.Metadata.OccurredAt = sent.At
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("beside the event (-want +got):\n%s", diff)
	}
}

func TestClearTextIsNotInTheStoredForm(t *testing.T) {
	t.Parallel()
	raw := stored(t)
	for _, text := range []seal.Text{sent.Title, sent.Body} {
		if plain, _ := text.Plain(); bytes.Contains(raw.Data, []byte(plain)) || bytes.Contains(raw.Metadata, []byte(plain)) {
			t.Errorf("%q is in clear in %s", plain, raw.Data)
		}
	}
}

func TestTheStoredFormIsPlainJSON(t *testing.T) {
	t.Parallel()
	encoded, err := letters().Encode(t.Context(), nil, stream, eventID, letter{At: sent.At}, domain.Metadata{Channel: "<a&b>"})
	if err != nil {
		t.Fatal(err)
	}
	want := codec.Encoded{
		Type: "test.letter.v2", Data: []byte(`{"at":"2026-03-02T09:00:00Z","pages":0}`),
		Metadata: []byte(`{"commandId":"00000000-0000-0000-0000-000000000000","channel":"<a&b>","occurredAt":"2026-03-02T09:00:00Z"}`),
	}
	if diff := cmp.Diff(want, encoded); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestATextCopiedToAnotherPlaceDoesNotOpen(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(*codec.Raw){
		"another stream": func(r *codec.Raw) { r.Stream = "test-2" },
		"another event":  func(r *codec.Raw) { r.ID = domain.UUID{8} },
		"another field": func(r *codec.Raw) {
			r.Data = []byte(strings.NewReplacer(`"title"`, `"body"`, `"body"`, `"title"`).Replace(string(r.Data)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := stored(t)
			move(&raw)
			got, err := letters().Decode(t.Context(), keys{}, raw)
			if !errors.Is(err, errElsewhere) || got.Event != nil {
				t.Errorf("got %v beside %v, want %v", got.Event, err, errElsewhere)
			}
		})
	}
}

func TestWithoutKeysTextsStaySealedAndCanBeOpenedLater(t *testing.T) {
	t.Parallel()
	sealed, err := letters().Decode(t.Context(), nil, stored(t))
	if err != nil {
		t.Fatal(err)
	}
	if plain, ok := sealed.Event.(letter).Title.Plain(); ok {
		t.Fatalf("got %q in clear", plain)
	}
	if diff := cmp.Diff([]seal.Subject{"c-1", "c-2"}, seal.Subjects(sealed.Event)); diff != "" {
		t.Errorf("persons (-want +got):\n%s", diff)
	}
	opened, err := letters().Open(t.Context(), keys{}, sealed)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := sent.Title.Plain()
	if plain, _ := opened.Event.(letter).Title.Plain(); plain != want {
		t.Errorf("got %q, want %q", plain, want)
	}
}

func TestARetiredTypeIsSeenAsItsSuccessor(t *testing.T) {
	t.Parallel()
	raw := codec.Raw{Type: "test.letter.v1", Data: []byte(`{"at":"2026-03-02T09:00:00Z","sheets":2}`), Metadata: []byte(`{}`)}
	got, err := letters().Decode(t.Context(), keys{}, raw)
	if err != nil {
		t.Fatal(err)
	}
	if back, ok := got.Event.(letter); !ok || back.Pages != 4 || got.Type != "test.letter.v1" {
		t.Errorf("got %v of type %s, want 4 pages of type test.letter.v1", got.Event, got.Type)
	}
}

// note is how letters were stored before oldLetter: its body was called text, and there was one page.
type note struct {
	At   time.Time `json:"at"`
	Text seal.Text `json:"text,omitzero"`
}

func (note) EventType() string       { return "test.letter.v0" }
func (n note) OccurredAt() time.Time { return n.At }

func (n note) MapTexts(f func(string, seal.Text) (seal.Text, error)) (_ domain.Event, err error) {
	n.Text, err = f("text", n.Text)
	return n, err
}

// sheet is between note and letter: the body had its name of today.
type sheet struct {
	At   time.Time
	Body seal.Text
}

func (n note) sheet() sheet    { return sheet{n.At, n.Text} }
func (s sheet) letter() letter { return letter{At: s.At, Pages: 1, Body: s.Body} }

func notes() *codec.Codec {
	return codec.New(codec.JSON[letter](), codec.Upcast("test.letter.v0", func(n note) letter { return n.sheet().letter() }))
}

// storedNote is a note as it comes from the log.
func storedNote(t *testing.T) codec.Raw {
	t.Helper()
	encoded, err := codec.New(codec.JSON[note]()).Encode(t.Context(), keys{}, stream, eventID, note{At: sent.At, Text: sent.Body}, meta)
	if err != nil {
		t.Fatal(err)
	}
	return codec.Raw{ID: eventID, Stream: stream, Type: encoded.Type, Data: encoded.Data, Metadata: encoded.Metadata}
}

func TestATextOpensWhereAnUpcastMovedIt(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(context.Context, codec.Raw) (domain.Recorded, error){
		"opened at once": func(ctx context.Context, raw codec.Raw) (domain.Recorded, error) {
			return notes().Decode(ctx, keys{}, raw)
		},
		"opened later": func(ctx context.Context, raw codec.Raw) (domain.Recorded, error) {
			sealed, err := notes().Decode(ctx, nil, raw)
			if err != nil {
				return sealed, err
			}
			return notes().Open(ctx, keys{}, sealed)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := read(t.Context(), storedNote(t))
			if err != nil {
				t.Fatal(err)
			}
			back, _ := got.Event.(letter)
			want, _ := sent.Body.Plain()
			if plain, _ := back.Body.Plain(); plain != want || back.Pages != 1 || got.Type != "test.letter.v0" {
				t.Errorf("got %q on %d pages of type %s, want %q on 1 page of type test.letter.v0", plain, back.Pages, got.Type, want)
			}
		})
	}
}

// The path of a moved text is that of the type it was stored as, and no other.
func TestATextOfARetiredTypeOpensOnlyWhereItWasSealed(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(*codec.Raw){
		"another stream": func(r *codec.Raw) { r.Stream = "test-2" },
		"another event":  func(r *codec.Raw) { r.ID = domain.UUID{8} },
		"a text of today": func(r *codec.Raw) {
			data := stored(t).Data
			r.Data = bytes.Replace(data, []byte(`"body"`), []byte(`"text"`), 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := storedNote(t)
			move(&raw)
			if got, err := notes().Decode(t.Context(), keys{}, raw); !errors.Is(err, errElsewhere) || got.Event != nil {
				t.Errorf("got %v beside %v, want %v", got.Event, err, errElsewhere)
			}
		})
	}
}

// Sealed, it could never be opened again: the name of today has another path.
func TestAMovedTextIsStoredAgainOnlyOpened(t *testing.T) {
	t.Parallel()
	sealed, err := notes().Decode(t.Context(), nil, storedNote(t))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := notes().Encode(t.Context(), keys{}, stream, eventID, sealed.Event, meta); !errors.Is(err, seal.ErrMoved) {
		t.Errorf("got %s and %v, want %v", got.Data, err, seal.ErrMoved)
	}
	opened, err := notes().Open(t.Context(), keys{}, sealed)
	if err != nil {
		t.Fatal(err)
	}
	again, err := notes().Encode(t.Context(), keys{}, stream, eventID, opened.Event, meta)
	if err != nil {
		t.Fatal(err)
	}
	got, err := notes().Decode(t.Context(), keys{}, codec.Raw{ID: eventID, Stream: stream, Type: again.Type, Data: again.Data, Metadata: again.Metadata})
	if err != nil {
		t.Fatal(err)
	}
	want, _ := sent.Body.Plain()
	if plain, _ := got.Event.(letter).Body.Plain(); plain != want || again.Type != "test.letter.v2" {
		t.Errorf("got %q of type %s, want %q of type test.letter.v2", plain, again.Type, want)
	}
}

func TestAnUnknownTypeIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	raw := codec.Raw{ID: eventID, Stream: stream, Revision: 1, Type: "later.fact.v1", Data: []byte(`not JSON`), Metadata: []byte(`neither`)}
	got, err := letters().Decode(t.Context(), keys{}, raw)
	if diff := cmp.Diff(domain.Recorded{ID: eventID, Stream: stream, Revision: 1, Type: "later.fact.v1"}, got); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func TestMalformedBytesAreAnErrorThatNamesThePlace(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*codec.Raw){
		"payload":         func(r *codec.Raw) { r.Data = r.Data[:len(r.Data)-1] },
		"empty payload":   func(r *codec.Raw) { r.Data = nil },
		"metadata":        func(r *codec.Raw) { r.Metadata = r.Metadata[1:] },
		"retired payload": func(r *codec.Raw) { r.Type, r.Data = "test.letter.v1", []byte(`{"sheets":"two"}`) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := stored(t)
			spoil(&raw)
			got, err := letters().Decode(t.Context(), keys{}, raw)
			if err == nil || got.Event != nil || !strings.Contains(err.Error(), raw.Type+" at 4@test-1") {
				t.Errorf("got %v beside %v, want an error that names %s at 4@test-1", got.Event, err, raw.Type)
			}
		})
	}
}

func TestWhatIsNotInTheCatalogIsNotStored(t *testing.T) {
	t.Parallel()
	if got, err := codec.New().Encode(t.Context(), keys{}, stream, eventID, sent, meta); err == nil {
		t.Errorf("got %s", got.Data)
	}
}

func TestWhatCannotBeSealedIsNotStored(t *testing.T) {
	t.Parallel()
	down := errors.New("no keys now")
	if got, err := letters().Encode(t.Context(), keys{err: down}, stream, eventID, sent, meta); !errors.Is(err, down) || got.Data != nil {
		t.Errorf("got %s, %v, want %v", got.Data, err, down)
	}
}

func TestTwoEntriesOfOneNamePanic(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("got a codec")
		}
	}()
	codec.New(codec.JSON[letter](), codec.Upcast("test.letter.v2", func(l letter) letter { return l }))
}

func TestNamesAreListedAndCannotBeChanged(t *testing.T) {
	t.Parallel()
	c := letters()
	c.Names()[0] = "other"
	if diff := cmp.Diff([]string{"test.letter.v2", "test.letter.v1"}, c.Names()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if name := codec.JSON[letter]().Name(); name != "test.letter.v2" {
		t.Errorf("got %s", name)
	}
}
