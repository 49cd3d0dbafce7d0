package ticket

import (
	"cmp"
	"strconv"

	"aftercare/domain"
)

func (d *decision) acknowledge(c Acknowledge) error {
	if d.Acknowledged {
		return nil
	}
	if !d.active() {
		return wrongPhase(d.State, "acknowledge")
	}
	d.fact(Acknowledged{At: c.At.UTC()})
	return nil
}

func (d *decision) respond(c Respond) error {
	if d.Phase == Shut || d.Phase == Void {
		return wrongPhase(d.State, "respond")
	}
	if err := firstError(check([]named{{"agent", c.Agent}}), checkTexts(c.Message)); err != nil {
		return err
	}
	by := cmp.Or(c.By, Person)
	if c.By == 0 && c.Automatic {
		by = Autoresponder
	}
	d.fact(Responded{At: c.At.UTC(), By: by, Agent: c.Agent, Message: c.Message})
	return nil
}

func (d *decision) classify(c Classify) error {
	if d.Phase == Void {
		return wrongPhase(d.State, "classify")
	}
	if err := check(c.codes()); err != nil {
		return err
	}
	change := d.Details.but(c.Details)
	if change.isZero() {
		return nil
	}
	d.fact(Classified{At: c.At.UTC(), Details: change})
	if d.active() {
		d.supersede(c.At, d.change("classification"))
	}
	return nil
}

func (d *decision) changePriority(c ChangePriority) error {
	if c.Priority == "" {
		return missing("priority")
	}
	if c.Priority == d.Details.Priority {
		return nil
	}
	if !d.active() {
		return wrongPhase(d.State, "changePriority")
	}
	if err := firstError(check([]named{{"priority", c.Priority}}), checkTexts(c.Reason)); err != nil {
		return err
	}
	d.record(PriorityChanged{At: c.At.UTC(), From: d.Details.Priority, To: c.Priority, Reason: c.Reason})
	d.supersede(c.At, d.change("priority"))
	return nil
}

func (d *decision) assign(c Assign) error {
	if c.Team == "" && c.Agent == "" {
		return missing("team")
	}
	team, agent := c.Team, c.Agent
	if team == "" {
		team = d.Details.Team
	}
	if team == d.Details.Team && agent == d.Details.Agent {
		return nil
	}
	if !d.active() {
		return wrongPhase(d.State, "assign")
	}
	if err := check([]named{{"team", team}, {"agent", agent}}); err != nil {
		return err
	}
	changed := team != d.Details.Team
	d.fact(Assigned{At: c.At.UTC(), Team: team, Agent: agent})
	if changed {
		d.supersede(c.At, d.change("assignment"))
	}
	return nil
}

func (d *decision) escalate(c Escalate) error {
	if c.To == "" {
		return missing("to")
	}
	if !d.active() {
		return wrongPhase(d.State, "escalate")
	}
	if err := firstError(check([]named{{"to", c.To}}), checkTexts(c.Reason)); err != nil {
		return err
	}
	d.fact(Escalated{At: c.At.UTC(), To: c.To, Level: d.Level + 1, Reason: c.Reason})
	return nil
}

func (d *decision) wait(c Wait) error {
	if c.Reason == "" {
		return missing("reason")
	}
	if d.Phase == Waiting && d.WaitReason == c.Reason {
		return nil
	}
	if !d.active() {
		return wrongPhase(d.State, "wait")
	}
	if err := firstError(check([]named{{"reason", c.Reason}}), checkTexts(c.Note)); err != nil {
		return err
	}
	at := c.At.UTC()
	if d.Phase == Waiting {
		d.clocks(d.engine.Resume(d.Clocks, at)) // another reason need not pause the same clocks
	}
	d.record(WaitStarted{At: at, Reason: c.Reason, Note: c.Note})
	d.clocks(d.engine.Pause(d.Clocks, c.Reason, at))
	return nil
}

func (d *decision) resume(c Resume) error {
	if d.Phase == Open {
		return nil
	}
	if d.Phase != Waiting {
		return wrongPhase(d.State, "resume")
	}
	d.record(Resumed{At: c.At.UTC()})
	d.clocks(d.engine.Resume(d.Clocks, c.At.UTC()))
	return nil
}

func (d *decision) dispatch(c Dispatch) error {
	if !d.active() {
		return wrongPhase(d.State, "dispatch")
	}
	if err := check([]named{{"agent", c.Agent}}); err != nil {
		return err
	}
	d.fact(Dispatched{At: c.At.UTC(), Agent: c.Agent})
	return nil
}

func (d *decision) arrive(c Arrive) error {
	if !d.active() {
		return wrongPhase(d.State, "arrive")
	}
	if !d.Dispatched {
		return ErrNotDispatched
	}
	d.fact(Arrived{At: c.At.UTC()})
	return nil
}

func (d *decision) diagnose(c Diagnose) error {
	if !d.active() {
		return wrongPhase(d.State, "diagnose")
	}
	if err := firstError(check([]named{{"cause", c.Cause}}), checkTexts(c.Note)); err != nil {
		return err
	}
	d.fact(Diagnosed{At: c.At.UTC(), Cause: c.Cause, Note: c.Note})
	return nil
}

func (d *decision) plan(c Plan) error {
	if !d.active() {
		return wrongPhase(d.State, "plan")
	}
	if c.Plan.IsZero() {
		return missing("plan")
	}
	if err := checkTexts(c.Plan); err != nil {
		return err
	}
	d.fact(Planned{At: c.At.UTC(), Plan: c.Plan})
	return nil
}

func (d *decision) confirm(c Confirm) error {
	if d.Confirmed {
		return nil
	}
	if !d.active() {
		return wrongPhase(d.State, "confirm")
	}
	if !d.Planned {
		return ErrNoPlan
	}
	if err := checkTexts(c.Note); err != nil {
		return err
	}
	d.fact(Confirmed{At: c.At.UTC(), Note: c.Note})
	return nil
}

func (d *decision) resolve(c Resolve) error {
	if d.Phase == Done {
		return nil
	}
	if !d.active() {
		return wrongPhase(d.State, "resolve")
	}
	if err := firstError(check([]named{{"resolution", c.Resolution}, {"agent", c.Agent}}), checkTexts(c.Note)); err != nil {
		return err
	}
	agent := c.Agent
	if agent == "" {
		agent = d.Details.Agent
	}
	d.fact(Resolved{At: c.At.UTC(), Resolution: c.Resolution, Agent: agent, Note: c.Note})
	return nil
}

func (d *decision) reopen(c Reopen) error {
	if d.active() {
		return nil
	}
	if err := checkTexts(c.Reason); err != nil {
		return err
	}
	d.fact(Reopened{At: c.At.UTC(), From: d.Phase, Reason: c.Reason})
	return nil
}

func (d *decision) close(c Close) error {
	switch d.Phase {
	case Shut:
		return nil
	case Done:
	case Void:
		return wrongPhase(d.State, "close")
	case Open, Waiting:
		return ErrNotResolved
	}
	if err := check([]named{{"outcome", c.Outcome}}); err != nil {
		return err
	}
	d.fact(Closed{At: c.At.UTC(), Outcome: c.Outcome})
	return nil
}

func (d *decision) cancel(c Cancel) error {
	if d.Phase == Void {
		return nil
	}
	if !d.active() {
		return wrongPhase(d.State, "cancel")
	}
	if c.Reason == "" {
		return missing("reason")
	}
	if err := check([]named{{"reason", c.Reason}}); err != nil {
		return err
	}
	d.fact(Cancelled{At: c.At.UTC(), Reason: c.Reason})
	d.clocks(d.engine.Cancel(d.Clocks, "cancelled", c.At.UTC()))
	return nil
}

func (d *decision) note(c AddNote) error {
	if c.Text.IsZero() {
		return missing("text")
	}
	if err := checkTexts(c.Text); err != nil {
		return err
	}
	d.record(Noted{At: c.At.UTC(), Text: c.Text})
	return nil
}

func (d *decision) rate(c Rate) error {
	if d.Phase != Done && d.Phase != Shut {
		return wrongPhase(d.State, "rate")
	}
	return d.rated(c)
}

func (d *decision) rated(c Rate) error {
	if c.Min >= c.Max || c.Score < c.Min || c.Score > c.Max || c.Min < -maxScale || c.Max > maxScale {
		return domain.Refuse(domain.Invalid, ErrBadRating.Code,
			"score", strconv.Itoa(c.Score), "min", strconv.Itoa(c.Min), "max", strconv.Itoa(c.Max))
	}
	if err := checkTexts(c.Comment); err != nil {
		return err
	}
	if last := d.Rated; last.At.Equal(c.At) && last.Score == c.Score && last.Min == c.Min && last.Max == c.Max {
		return nil // an import run again: nobody rates twice in one moment
	}
	d.record(Rated{
		At: c.At.UTC(), Score: c.Score, Min: c.Min, Max: c.Max, Comment: c.Comment,
		Team: d.ResolvedTeam, Agent: d.ResolvedAgent,
	})
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
