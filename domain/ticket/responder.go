package ticket

import (
	"strconv"

	"aftercare/domain"
)

// Responder is who answered a customer.
type Responder uint8

// The responders. The zero Responder is not known.
const (
	// Person is one of our people.
	Person Responder = iota + 1
	// Assistant is a program that answered what the customer said.
	Assistant
	// Autoresponder is a program that sends everybody the same.
	Autoresponder
)

var responderNames = [...]string{Person: "person", Assistant: "assistant", Autoresponder: "autoresponder"}

// String returns the stored name, or "" for the zero Responder.
func (r Responder) String() string {
	if int(r) < len(responderNames) {
		return responderNames[r]
	}
	return ""
}

// ParseResponder reads a stored name.
func ParseResponder(s string) (Responder, error) {
	for r, name := range responderNames {
		if name == s && name != "" {
			return Responder(r), nil
		}
	}
	return 0, domain.Refuse(domain.Invalid, "ticket.unknown-responder", "value", s)
}

// MarshalText writes the stored name. It fails for one that has none, which nobody could read again.
func (r Responder) MarshalText() ([]byte, error) {
	if r.String() == "" {
		return nil, domain.Refuse(domain.Invalid, "ticket.unknown-responder", "value", strconv.Itoa(int(r)))
	}
	return []byte(r.String()), nil
}

// UnmarshalText reads a stored name.
func (r *Responder) UnmarshalText(b []byte) (err error) {
	*r, err = ParseResponder(string(b))
	return err
}
