package logtest

import (
	"context"
	"errors"
	"time"

	"aftercare/domain"
	"aftercare/domain/codec"
	"aftercare/domain/seal"
)

// Noted is the event of the suite.
type Noted struct {
	At   time.Time `json:"at"`
	N    int       `json:"n"`
	Text string    `json:"text,omitempty"`
	// Secret is sealed.
	Secret seal.Text `json:"secret,omitzero"`
}

// EventType returns the stored name.
func (Noted) EventType() string { return "logtest.noted.v1" }

// OccurredAt returns the business time.
func (e Noted) OccurredAt() time.Time { return e.At }

// MapTexts implements seal.Carrier.
func (e Noted) MapTexts(f func(string, seal.Text) (seal.Text, error)) (_ domain.Event, err error) {
	if e.Secret, err = f("secret", e.Secret); err != nil {
		return nil, err
	}
	return e, nil
}

// Counted is a second type, for filters.
type Counted struct {
	At time.Time `json:"at"`
	N  int       `json:"n"`
}

// EventType returns the stored name.
func (Counted) EventType() string { return "logtest-count.counted.v1" }

// OccurredAt returns the business time.
func (e Counted) OccurredAt() time.Time { return e.At }

// Codec returns the catalog of the suite's events.
func Codec() *codec.Codec { return codec.New(codec.JSON[Noted](), codec.JSON[Counted]()) }

// narrow knows only Counted: a program older than the log it reads.
func narrow() *codec.Codec { return codec.New(codec.JSON[Counted]()) }

// Sealer is a seal.Sealer and seal.Opener that hides nothing but holds callers to the binding. The subject "forgotten"
// has no key.
type Sealer struct{}

// Seal puts the associated data before the text.
func (Sealer) Seal(_ context.Context, subject seal.Subject, plain, associated []byte) ([]byte, error) {
	if subject == "forgotten" {
		return nil, seal.ErrForgotten
	}
	return append(append(append([]byte(nil), associated...), 0xff), plain...), nil
}

// Open refuses a text that is not where it was sealed.
func (Sealer) Open(_ context.Context, subject seal.Subject, sealed, associated []byte) ([]byte, error) {
	if subject == "forgotten" {
		return nil, seal.ErrForgotten
	}
	prefix := string(associated) + "\xff"
	if len(sealed) < len(prefix) || string(sealed[:len(prefix)]) != prefix {
		return nil, errors.New("sealed for another place")
	}
	return sealed[len(prefix):], nil
}
