package sla

import "aftercare/domain"

// Origin says whose promise a row is.
type Origin uint8

// The origins.
const (
	// OriginOurs is a clock that ran here.
	OriginOurs Origin = iota + 1
	// OriginTarget is a due time that the system a case came from had set.
	OriginTarget
	// OriginVerdict is what that system said about its own promise.
	OriginVerdict
)

var originNames = [...]string{OriginOurs: "ours", OriginTarget: "source_target", OriginVerdict: "source_verdict"}

// String returns the stored name, or "" for the zero Origin.
func (o Origin) String() string {
	if int(o) < len(originNames) {
		return originNames[o]
	}
	return ""
}

// ParseOrigin reads a stored name.
func ParseOrigin(s string) (Origin, error) {
	for o, name := range originNames {
		if name == s && name != "" {
			return Origin(o), nil
		}
	}
	return 0, domain.Refuse(domain.Invalid, "sla.unknown-origin", "value", s)
}

// Verdict is what became of a promise.
type Verdict uint8

// The verdicts.
const (
	Running Verdict = iota + 1
	Met
	MetLate
	// Breached runs past its due time.
	Breached
	Cancelled
	Superseded
	// Missed is what a source says when it says no more than that.
	Missed
)

var verdictNames = [...]string{
	Running: "running", Met: "met", MetLate: "met_late", Breached: "breached", Cancelled: "cancelled", Superseded: "superseded",
	Missed: "missed",
}

// String returns the stored name, or "" for the zero Verdict.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return ""
}

// ParseVerdict reads a stored name.
func ParseVerdict(s string) (Verdict, error) {
	for v, name := range verdictNames {
		if name == s && name != "" {
			return Verdict(v), nil
		}
	}
	return 0, domain.Refuse(domain.Invalid, "sla.unknown-verdict", "value", s)
}
