package ticket

import "aftercare/domain"

// Fact is what one row of a foreign history stands for besides its phase.
type Fact uint8

// The facts a row can stand for.
const (
	FactAcknowledged Fact = iota + 1
	FactResponded
	FactEscalated
	FactDispatched
	FactArrived
	FactDiagnosed
	FactPlanned
	FactConfirmed
)

var factNames = [...]string{
	FactAcknowledged: "acknowledged", FactResponded: "responded", FactEscalated: "escalated", FactDispatched: "dispatched",
	FactArrived: "arrived", FactDiagnosed: "diagnosed", FactPlanned: "planned", FactConfirmed: "confirmed",
}

// String returns the name, or "" for the zero Fact.
func (f Fact) String() string {
	if int(f) < len(factNames) {
		return factNames[f]
	}
	return ""
}

// ParseFact reads a name.
func ParseFact(s string) (Fact, error) {
	for f, name := range factNames {
		if name == s && name != "" {
			return Fact(f), nil
		}
	}
	return 0, domain.Refuse(domain.Invalid, "ticket.unknown-fact", "value", s)
}
