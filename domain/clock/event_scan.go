package clock

import (
	"aftercare/domain"
	"aftercare/domain/codec/scan"
)

// Scan implements codec.Scannable.
func (Started) Scan(s *scan.Scanner) domain.Event {
	var e Started
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "instance":
			e.Instance = s.Int()
		case "clock":
			e.Clock = s.Code()
		case "promise":
			e.Promise = e.Promise.scan(s)
		case "supersedes":
			e.Supersedes = s.Int()
		case "carry":
			e.Carry = scan.Parse(s, ParseCarry)
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Paused) Scan(s *scan.Scanner) domain.Event {
	var e Paused
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "instance":
			e.Instance = s.Int()
		case "reason":
			e.Reason = s.Code()
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Resumed) Scan(s *scan.Scanner) domain.Event {
	var e Resumed
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "instance":
			e.Instance = s.Int()
		case "due":
			e.Due = s.Instant()
		case "counted":
			e.Counted = scanSpans(s, e.Counted)
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Met) Scan(s *scan.Scanner) domain.Event {
	var e Met
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "instance":
			e.Instance = s.Int()
		case "due":
			e.Due = s.Instant()
		case "elapsed":
			e.Elapsed = s.Int64()
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (MetLate) Scan(s *scan.Scanner) domain.Event {
	var e MetLate
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "instance":
			e.Instance = s.Int()
		case "due":
			e.Due = s.Instant()
		case "elapsed":
			e.Elapsed = s.Int64()
		case "overrun":
			e.Overrun = s.Int64()
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Breached) Scan(s *scan.Scanner) domain.Event {
	var e Breached
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "instance":
			e.Instance = s.Int()
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Cancelled) Scan(s *scan.Scanner) domain.Event {
	var e Cancelled
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "instance":
			e.Instance = s.Int()
		case "reason":
			e.Reason = s.Code()
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Superseded) Scan(s *scan.Scanner) domain.Event {
	var e Superseded
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "instance":
			e.Instance = s.Int()
		case "by":
			e.By = s.Int()
		case "reason":
			e.Reason = s.Code()
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (TargetRecorded) Scan(s *scan.Scanner) domain.Event {
	var e TargetRecorded
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "clock":
			e.Clock = s.Code()
		case "due":
			e.Due = s.Instant()
		case "source":
			e.Source = s.Code()
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (VerdictRecorded) Scan(s *scan.Scanner) domain.Event {
	var e VerdictRecorded
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "clock":
			e.Clock = s.Code()
		case "met":
			e.Met = s.Bool()
		case "source":
			e.Source = s.Code()
		default:
			s.Fail()
		}
	}
	return e
}
