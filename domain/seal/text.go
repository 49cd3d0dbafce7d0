package seal

import (
	"context"
	"encoding/json"
	"errors"

	"aftercare/domain"
)

// Subject names the person whose data key seals a text: an opaque id, never a name.
type Subject string

// Text is personal data or free text. The zero Text is absent.
type Text struct {
	subject   Subject
	plain     string
	cipher    []byte
	path      string // of cipher, when that may not be where the text is now
	forgotten bool
}

// Errors of sealing. ErrForgotten is what an Opener returns when the subject's key was destroyed;
// ErrUnsealed is what marshalling a Text in clear returns, ErrMoved what sealing a Text does that is sealed for another field.
var (
	ErrForgotten = errors.New("the key of the person was destroyed")
	ErrUnsealed  = errors.New("a text must be sealed before it is stored")
	ErrMoved     = errors.New("a text that was sealed in another field must be opened before it is stored")
)

var errNoText = errors.New("a stored text has no sealed form")

// New returns an open Text that concerns the subject. Empty text is the zero Text.
func New(subject Subject, plain string) Text {
	if plain == "" {
		return Text{}
	}
	return Text{subject: subject, plain: plain}
}

// IsZero reports whether there is no text.
func (t Text) IsZero() bool { return t.plain == "" && t.cipher == nil && !t.forgotten }

// Subject returns whom the text concerns.
func (t Text) Subject() Subject { return t.subject }

// Plain returns the clear text; ok is false when it is absent, still sealed or forgotten.
func (t Text) Plain() (text string, ok bool) { return t.plain, t.plain != "" }

// Forgotten reports that the text was there and its key is destroyed.
func (t Text) Forgotten() bool { return t.forgotten }

// SealedAt returns t as sealed in the field at path, wherever it is now: Open then goes by that path. It is for reading events
// whose fields had other names once.
func (t Text) SealedAt(path string) Text {
	if t.cipher != nil {
		t.path = path
	}
	return t
}

// Equal reports whether both hold the same text about the same person; sealed texts are equal when their bytes are.
func (t Text) Equal(u Text) bool {
	return t.subject == u.subject && t.plain == u.plain && t.forgotten == u.forgotten && string(t.cipher) == string(u.cipher)
}

type stored struct {
	Subject Subject `json:"subject"`
	Sealed  []byte  `json:"sealed"`
}

// MarshalJSON writes the sealed form and refuses clear text with ErrUnsealed. A Text that was opened from a sealed
// form keeps it, so that copying an event does not need the key.
func (t Text) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	if t.cipher == nil {
		return nil, ErrUnsealed
	}
	return json.Marshal(stored{t.subject, t.cipher})
}

// UnmarshalJSON reads the sealed form. A person named without a text is malformed.
func (t *Text) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*t = Text{}
		return nil
	}
	var s stored
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if s.Sealed == nil {
		return errNoText
	}
	*t = Text{subject: s.Subject, cipher: s.Sealed}
	return nil
}

// Carrier is implemented by events with sealed parts. MapTexts returns a copy of the event in which every Text, also an
// absent one, is replaced by what f returns for it; path names the field in the payload ("title").
type Carrier interface {
	MapTexts(f func(path string, t Text) (Text, error)) (domain.Event, error)
}

// Binding is what a cipher text is bound to: it opens nowhere else.
type Binding struct {
	Stream  string
	EventID domain.UUID
	Path    string
}

// Bytes returns the binding as associated data.
func (b Binding) Bytes() []byte {
	return []byte(b.Stream + "\x00" + b.EventID.String() + "\x00" + b.Path)
}

// Sealer encrypts with the data key of a subject, making the key on first use.
type Sealer interface {
	Seal(ctx context.Context, subject Subject, plain, associated []byte) ([]byte, error)
}

// Opener decrypts. It returns ErrForgotten when the key was destroyed.
type Opener interface {
	Open(ctx context.Context, subject Subject, sealed, associated []byte) ([]byte, error)
}

// Loader is an Opener that can get the keys of many persons at once.
type Loader interface {
	Opener
	Load(ctx context.Context, subjects []Subject) error
}

// Subjects returns whom the sealed texts of the event concern.
func Subjects(e domain.Event) (all []Subject) {
	carrier, ok := e.(Carrier)
	if !ok {
		return nil
	}
	_, err := carrier.MapTexts(func(_ string, t Text) (Text, error) {
		if t.cipher != nil {
			all = append(all, t.subject)
		}
		return t, nil
	})
	if err != nil {
		return nil // no function of ours fails
	}
	return all
}

// Seal returns t encrypted. An absent text stays absent; a text in clear is always sealed anew for b, since a sealed
// form is bound to the event it came from.
func Seal(ctx context.Context, s Sealer, t Text, b Binding) (Text, error) {
	if t.plain == "" {
		if t.path != "" && t.path != b.Path && !t.forgotten {
			return t, ErrMoved
		}
		return t, nil
	}
	cipher, err := s.Seal(ctx, t.subject, []byte(t.plain), b.Bytes())
	if err != nil {
		return t, err
	}
	t.cipher, t.path = cipher, ""
	return t, nil
}

// Open returns t decrypted. A destroyed key makes it forgotten; any other failure is returned.
func Open(ctx context.Context, o Opener, t Text, b Binding) (Text, error) {
	if t.cipher == nil {
		return t, nil
	}
	if t.path != "" {
		b.Path = t.path
	}
	plain, err := o.Open(ctx, t.subject, t.cipher, b.Bytes())
	if errors.Is(err, ErrForgotten) {
		t.forgotten = true
		return t, nil
	}
	if err != nil {
		return t, err
	}
	t.plain = string(plain)
	return t, nil
}
