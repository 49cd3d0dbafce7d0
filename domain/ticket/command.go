package ticket

import (
	"time"

	"aftercare/domain/clock"
	"aftercare/domain/seal"
)

// Command is something that may be asked of a ticket. Every command says when it happened.
//
//sumtype:decl
type Command interface {
	isCommand()
	when() time.Time
}

// The commands of a case in our own hands.
type (
	// Receive opens a case.
	Receive struct {
		At     time.Time
		Number string
		Details
		Customer                          seal.Subject
		Name, Contact, Title, Description seal.Text
		Source                            *Source
	}
	// Acknowledge tells the customer that we have it.
	Acknowledge struct{ At time.Time }
	// Respond sends the customer a visible message.
	Respond struct {
		At time.Time
		// By defaults to Person.
		By      Responder
		Agent   string
		Message seal.Text
		// Automatic is how wishes said that By is Autoresponder before there was By, which goes first. It is a field still, so that
		// such a wish keeps its hash: sent again after the upgrade, it is the one that was carried out before.
		Automatic bool
	}
	// Classify changes the fields that are given.
	Classify struct {
		At time.Time
		Details
	}
	// ChangePriority sets another priority; running clocks are superseded as their definitions say.
	ChangePriority struct {
		At       time.Time
		Priority string
		Reason   seal.Text
	}
	// Assign gives the case to a team, an agent or both.
	Assign struct {
		At          time.Time
		Team, Agent string
	}
	// Escalate brings the case to a higher level.
	Escalate struct {
		At     time.Time
		To     string
		Reason seal.Text
	}
	// Wait says whom or what we wait for.
	Wait struct {
		At     time.Time
		Reason string
		Note   seal.Text
	}
	// Resume ends a wait.
	Resume struct{ At time.Time }
	// Dispatch sends a technician.
	Dispatch struct {
		At    time.Time
		Agent string
	}
	// Arrive says that the technician is on site.
	Arrive struct{ At time.Time }
	// Diagnose names the fault's cause.
	Diagnose struct {
		At    time.Time
		Cause string
		Note  seal.Text
	}
	// Plan records what will be done.
	Plan struct {
		At   time.Time
		Plan seal.Text
	}
	// Confirm records that the customer agreed to the plan.
	Confirm struct {
		At   time.Time
		Note seal.Text
	}
	// Resolve fulfils the wish.
	Resolve struct {
		At         time.Time
		Resolution string
		Agent      string
		Note       seal.Text
	}
	// Reopen brings a resolved, closed or cancelled case back.
	Reopen struct {
		At     time.Time
		Reason seal.Text
	}
	// Close ends the case.
	Close struct {
		At      time.Time
		Outcome string
	}
	// Cancel ends a case that was withdrawn or void.
	Cancel struct {
		At     time.Time
		Reason string
	}
	// AddNote writes something down.
	AddNote struct {
		At   time.Time
		Text seal.Text
	}
	// Rate is the customer's verdict on a scale from Min to Max.
	Rate struct {
		At              time.Time
		Score, Min, Max int
		Comment         seal.Text
	}
	// Lapse records the breaches of all clocks whose due time is before At: at the due time itself stopping is still in time. The
	// timer sends it; At is its "now".
	Lapse struct{ At time.Time }
	// Recompute supersedes running clocks by what the policies in force at At say.
	Recompute struct {
		At     time.Time
		Carry  clock.Carry
		Reason string
	}
)

// The commands of a case whose history another system of record wrote. They are never refused for the state of the case.
type (
	// RecordStatus is one row of that history. Rows come in the order of Seq; a row already recorded leads to nothing.
	RecordStatus struct {
		At     time.Time
		Seq    int
		Status string
		// Phase is what the status means to us; zero leaves the phase as it is. Reason is why, for Waiting.
		Phase  Phase
		Reason string
		// Fact is a further fact the row stands for; zero for none.
		Fact Fact
		// Details are as of this row; what differs from before becomes facts of its own.
		Details
	}
	// RecordTarget is the due time that the other system had set.
	RecordTarget struct {
		At     time.Time
		Clock  string
		Due    time.Time
		Source string
	}
	// RecordVerdict is what the other system said about its own promise.
	RecordVerdict struct {
		At     time.Time
		Clock  string
		Met    bool
		Source string
	}
)
