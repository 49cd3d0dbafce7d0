package model

import (
	"encoding/base64"
	"strings"

	"aftercare/domain"
	"aftercare/domain/ticket"
)

// KindTicket is the type of global ids of tickets.
const KindTicket = "Ticket"

// GlobalID returns the opaque id of something of a kind.
func GlobalID(kind, key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(kind + ":" + key))
}

// ParseGlobalID takes an opaque id apart; ok is false when it is not one.
func ParseGlobalID(id string) (kind, key string, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(b), ":")
}

// ParseTicketID reads the global id of a ticket, or its UUID. It refuses everything else as "id.malformed".
func ParseTicketID(id string) (ticket.ID, error) {
	if kind, key, ok := ParseGlobalID(id); ok && kind == KindTicket {
		id = key
	}
	t, err := ticket.ParseID(id)
	if err != nil {
		return "", domain.Refuse(domain.Invalid, "id.malformed", "value", id)
	}
	return t, nil
}
