package ticket

import "aftercare/domain"

// ID names a case: a UUID in text form.
type ID string

// ParseID reads an id. It refuses what is not a UUID.
func ParseID(s string) (ID, error) {
	u, err := domain.ParseUUID(s)
	if err != nil {
		return "", err
	}
	return ID(u.String()), nil
}

// Source is where an imported case came from: the system and its own key of the case.
type Source struct {
	System string `json:"system"`
	Key    string `json:"key"`
}

// Details classify a case. Every value is a code of a taxonomy, never a person's words. Empty means not known (in a
// Received) or unchanged (in a Classified).
type Details struct {
	Kind        string `json:"kind,omitempty"`
	Channel     string `json:"channel,omitempty"`
	Priority    string `json:"priority,omitempty"`
	Category    string `json:"category,omitempty"`
	Subcategory string `json:"subcategory,omitempty"`
	Product     string `json:"product,omitempty"`
	Location    string `json:"location,omitempty"`
	Team        string `json:"team,omitempty"`
	Agent       string `json:"agent,omitempty"`
	// Attributes are further codes by name, for what a source knows and we have no field for.
	Attributes map[string]string `json:"attributes,omitempty"`
}

// Phase is where a case stands.
type Phase uint8

// The phases. The zero Phase is a case that does not exist yet.
const (
	Open Phase = iota + 1
	Waiting
	Done
	Shut
	Void
)

var phaseNames = [...]string{Open: "open", Waiting: "waiting", Done: "resolved", Shut: "closed", Void: "cancelled"}

// String returns the stored name, or "" for the zero Phase.
func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return ""
}

// ParsePhase reads a stored name.
func ParsePhase(s string) (Phase, error) {
	for p, name := range phaseNames {
		if name == s && name != "" {
			return Phase(p), nil
		}
	}
	return 0, domain.Refuse(domain.Invalid, "ticket.unknown-phase", "value", s)
}

// MarshalText writes the stored name.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a stored name.
func (p *Phase) UnmarshalText(b []byte) (err error) {
	*p, err = ParsePhase(string(b))
	return err
}
