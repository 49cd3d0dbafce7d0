package ticket

import (
	"time"

	"aftercare/domain/seal"
)

// RespondedV1 is how an answer was stored while it was either automatic or a person's.
type RespondedV1 struct {
	At        time.Time `json:"at"`
	Agent     string    `json:"agent,omitempty"`
	Message   seal.Text `json:"message,omitzero"`
	Automatic bool      `json:"automatic,omitempty"`
}

// Today returns what r says as it is said today: there were no assistants, so nothing is guessed. The message keeps its
// path, which its seal is bound to.
func (r RespondedV1) Today() Responded {
	by := Person
	if r.Automatic {
		by = Autoresponder
	}
	return Responded{At: r.At, By: by, Agent: r.Agent, Message: r.Message}
}
