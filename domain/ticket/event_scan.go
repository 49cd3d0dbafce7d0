package ticket

import (
	"aftercare/domain"
	"aftercare/domain/codec/scan"
	"aftercare/domain/seal"
)

// Scan implements codec.Scannable.
func (Received) Scan(s *scan.Scanner) domain.Event {
	var e Received
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "number":
			e.Number = s.String()
		case "customer":
			e.Customer = seal.Subject(s.Code())
		case "name":
			e.Name = seal.Scan(s)
		case "contact":
			e.Contact = seal.Scan(s)
		case "title":
			e.Title = seal.Scan(s)
		case "description":
			e.Description = seal.Scan(s)
		case "source":
			e.Source = e.Source.scan(s)
		default:
			e.detail(s)
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Acknowledged) Scan(s *scan.Scanner) domain.Event {
	var e Acknowledged
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Responded) Scan(s *scan.Scanner) domain.Event {
	var e Responded
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "by":
			e.By = scan.Parse(s, ParseResponder)
		case "agent":
			e.Agent = s.Code()
		case "message":
			e.Message = seal.Scan(s)
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Classified) Scan(s *scan.Scanner) domain.Event {
	var e Classified
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		default:
			e.detail(s)
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (PriorityChanged) Scan(s *scan.Scanner) domain.Event {
	var e PriorityChanged
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "from":
			e.From = s.Code()
		case "to":
			e.To = s.Code()
		case "reason":
			e.Reason = seal.Scan(s)
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Assigned) Scan(s *scan.Scanner) domain.Event {
	var e Assigned
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "team":
			e.Team = s.Code()
		case "agent":
			e.Agent = s.Code()
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Escalated) Scan(s *scan.Scanner) domain.Event {
	var e Escalated
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "to":
			e.To = s.Code()
		case "level":
			e.Level = s.Int()
		case "reason":
			e.Reason = seal.Scan(s)
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (WaitStarted) Scan(s *scan.Scanner) domain.Event {
	var e WaitStarted
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "reason":
			e.Reason = s.Code()
		case "note":
			e.Note = seal.Scan(s)
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
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Dispatched) Scan(s *scan.Scanner) domain.Event {
	var e Dispatched
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "agent":
			e.Agent = s.Code()
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Arrived) Scan(s *scan.Scanner) domain.Event {
	var e Arrived
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Diagnosed) Scan(s *scan.Scanner) domain.Event {
	var e Diagnosed
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "cause":
			e.Cause = s.Code()
		case "note":
			e.Note = seal.Scan(s)
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Planned) Scan(s *scan.Scanner) domain.Event {
	var e Planned
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "plan":
			e.Plan = seal.Scan(s)
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Confirmed) Scan(s *scan.Scanner) domain.Event {
	var e Confirmed
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "note":
			e.Note = seal.Scan(s)
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Resolved) Scan(s *scan.Scanner) domain.Event {
	var e Resolved
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "resolution":
			e.Resolution = s.Code()
		case "agent":
			e.Agent = s.Code()
		case "note":
			e.Note = seal.Scan(s)
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Reopened) Scan(s *scan.Scanner) domain.Event {
	var e Reopened
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "from":
			e.From = scan.Parse(s, ParsePhase)
		case "reason":
			e.Reason = seal.Scan(s)
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Closed) Scan(s *scan.Scanner) domain.Event {
	var e Closed
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "outcome":
			e.Outcome = s.Code()
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
		case "reason":
			e.Reason = s.Code()
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Noted) Scan(s *scan.Scanner) domain.Event {
	var e Noted
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "text":
			e.Text = seal.Scan(s)
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (Rated) Scan(s *scan.Scanner) domain.Event {
	var e Rated
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "score":
			e.Score = s.Int()
		case "min":
			e.Min = s.Int()
		case "max":
			e.Max = s.Int()
		case "comment":
			e.Comment = seal.Scan(s)
		case "team":
			e.Team = s.Code()
		case "agent":
			e.Agent = s.Code()
		default:
			s.Fail()
		}
	}
	return e
}

// Scan implements codec.Scannable.
func (StatusRecorded) Scan(s *scan.Scanner) domain.Event {
	var e StatusRecorded
	for s.Object(); s.Field(); {
		switch string(s.Name()) {
		case "at":
			e.At = s.Instant()
		case "seq":
			e.Seq = s.Int()
		case "status":
			e.Status = s.Code()
		case "agent":
			e.Agent = s.Code()
		default:
			s.Fail()
		}
	}
	return e
}
