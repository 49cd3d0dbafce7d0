package ticket

import (
	"strconv"
	"time"

	"aftercare/domain"
	"aftercare/domain/clock"
)

// foreign reports whether a command says what another system of record says. Such a case may well be closed before it was opened.
func foreign(c Command) bool {
	_, status := c.(RecordStatus)
	_, target := c.(RecordTarget)
	_, verdict := c.(RecordVerdict)
	return status || target || verdict
}

func (d *decision) status(c RecordStatus) error {
	if c.Seq <= 0 {
		return domain.Refuse(domain.Invalid, ErrBadSequence.Code, "seq", strconv.Itoa(c.Seq))
	}
	if c.Seq <= d.Recorded {
		return nil
	}
	if c.Status == "" {
		return missing("status")
	}
	if err := check(c.codes("status", c.Status, "reason", c.Reason)); err != nil {
		return err
	}
	at := c.At.UTC()
	d.record(StatusRecorded{At: at, Seq: c.Seq, Status: c.Status, Agent: c.Agent})
	d.differences(c.Details, at)
	d.row(c.Fact, c.Agent, at)
	d.phase(c, at)
	return nil
}

// differences records what of the details is new.
func (d *decision) differences(details Details, at time.Time) {
	change := d.Details.but(details)
	if change.isZero() {
		return
	}
	if change.Team != "" || change.Agent != "" {
		now := d.Details.with(Details{Team: change.Team, Agent: change.Agent})
		d.fact(Assigned{At: at, Team: now.Team, Agent: now.Agent})
	}
	if change.Priority != "" {
		d.record(PriorityChanged{At: at, From: d.Details.Priority, To: change.Priority})
	}
	change.Team, change.Agent, change.Priority = "", "", ""
	if !change.isZero() {
		d.fact(Classified{At: at, Details: change})
	}
	if d.active() {
		d.supersede(at, d.change("classification"))
	}
}

// row records the further fact that a row stands for.
func (d *decision) row(f Fact, agent string, at time.Time) {
	switch f {
	case FactAcknowledged:
		d.fact(Acknowledged{At: at})
	case FactResponded:
		d.fact(Responded{At: at, By: Person, Agent: agent})
	case FactEscalated:
		d.fact(Escalated{At: at, To: d.Details.Team, Level: d.Level + 1})
	case FactDispatched:
		d.fact(Dispatched{At: at, Agent: agent})
	case FactArrived:
		d.fact(Arrived{At: at})
	case FactDiagnosed:
		d.fact(Diagnosed{At: at})
	case FactPlanned:
		d.fact(Planned{At: at})
	case FactConfirmed:
		d.fact(Confirmed{At: at})
	}
}

// phase records what the status means for where the case stands. Coming back from resolved, closed or cancelled to work is a
// reopening; from closed to resolved is not, and neither is staying where it was.
func (d *decision) phase(c RecordStatus, at time.Time) {
	if c.Phase == Open || c.Phase == Waiting {
		if !d.active() {
			d.fact(Reopened{At: at, From: d.Phase})
		}
		if d.Phase == Waiting && (c.Phase == Open || c.Reason != d.WaitReason) {
			d.record(Resumed{At: at})
			d.clocks(d.engine.Resume(d.Clocks, at))
		}
		if c.Phase == Waiting && d.Phase == Open {
			d.record(WaitStarted{At: at, Reason: c.Reason})
			d.clocks(d.engine.Pause(d.Clocks, c.Reason, at))
		}
		return
	}
	if c.Phase == d.Phase {
		return
	}
	switch c.Phase {
	case Done:
		d.fact(Resolved{At: at, Agent: d.Details.Agent})
	case Shut:
		d.fact(Closed{At: at})
	case Void:
		d.fact(Cancelled{At: at})
		d.clocks(d.engine.Cancel(d.Clocks, "cancelled", at))
	case Open, Waiting: // above
	}
}

func (d *decision) target(c RecordTarget) error {
	if c.Clock == "" {
		return missing("clock")
	}
	if c.Due.IsZero() {
		return missing("due")
	}
	if err := check([]named{{"clock", c.Clock}, {"source", c.Source}}); err != nil {
		return err
	}
	if due, ok := d.targets[c.Clock]; ok && due.Equal(c.Due) {
		return nil
	}
	d.record(clock.TargetRecorded{At: c.At.UTC(), Clock: c.Clock, Due: c.Due.UTC(), Source: c.Source})
	return nil
}

func (d *decision) verdict(c RecordVerdict) error {
	if c.Clock == "" {
		return missing("clock")
	}
	if err := check([]named{{"clock", c.Clock}, {"source", c.Source}}); err != nil {
		return err
	}
	if met, ok := d.verdicts[c.Clock]; ok && met == c.Met {
		return nil
	}
	d.record(clock.VerdictRecorded{At: c.At.UTC(), Clock: c.Clock, Met: c.Met, Source: c.Source})
	return nil
}
