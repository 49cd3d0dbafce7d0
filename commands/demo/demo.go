package demo

import (
	"iter"
	"math/rand/v2"
	"strconv"
	"time"

	"aftercare/domain"
	"aftercare/domain/seal"
	"aftercare/domain/servicenumber"
	"aftercare/domain/ticket"
)

// Play says what to play.
type Play struct {
	// Seed makes one history; another seed makes another.
	Seed uint64
	// Cases is how many cases to play.
	Cases int
	// From and Until bound the time the cases are received in; nothing happens after Until.
	From, Until time.Time
}

// Case is everything that happens to one ticket, in order.
type Case struct {
	ID       domain.UUID
	Person   seal.Subject
	Commands []ticket.Command
	Metadata domain.Metadata
}

// All returns the cases one after another.
func (p Play) All() iter.Seq[Case] {
	return func(yield func(Case) bool) {
		for n := range p.Cases {
			if !yield(p.one(n)) {
				return
			}
		}
	}
}

// customers is how many people call.
const customers = 4000

// namespace of the ids of played cases.
var namespace = domain.DeriveUUID(domain.UUID{}, "aftercare/demo")

// story is one case as it unfolds.
type story struct {
	*rand.Rand
	play  Play
	at    time.Time
	over  bool
	agent string
	who   seal.Subject
	said  []ticket.Command
}

func (p Play) one(n int) Case {
	r := rand.New(rand.NewPCG(p.Seed, uint64(n)+1)) //nolint:gosec // a play is to be repeated, not to be unguessable
	id := domain.DeriveUUID(namespace, strconv.FormatUint(p.Seed, 10)+"/"+strconv.Itoa(n))
	customer := r.IntN(customers)
	s := &story{Rand: r, play: p, who: seal.Subject(domain.DeriveUUID(namespace, "customer/"+strconv.FormatUint(p.Seed, 10)+"/"+strconv.Itoa(customer)).String())}
	s.at = s.received()
	s.open(id, customer)
	s.work()
	return Case{
		ID: id, Person: s.who, Commands: s.said,
		Metadata: domain.Metadata{
			CommandID: domain.DeriveUUID(id, strconv.Itoa(len(s.said))),
			Principal: domain.Principal{ID: "demo", Roles: []string{"demo"}},
			Channel:   "demo",
		},
	}
}

// received picks a moment: mostly on working days between eight and eight, China time, and more often in the morning.
func (s *story) received() time.Time {
	const zone = 8 * time.Hour
	days := max(int(s.play.Until.Sub(s.play.From).Hours()/24), 1)
	for {
		day := s.play.From.Add(zone).Truncate(24*time.Hour).AddDate(0, 0, s.IntN(days))
		if weekend := day.Weekday() == time.Saturday || day.Weekday() == time.Sunday; weekend && s.IntN(5) > 0 {
			continue
		}
		hour := 8 + min(s.IntN(12), s.IntN(12))
		at := day.Add(time.Duration(hour)*time.Hour + time.Duration(s.IntN(3600))*time.Second - zone)
		if !at.Before(s.play.From) && at.Before(s.play.Until) {
			return at
		}
		if days == 1 {
			return s.play.From
		}
	}
}

// say adds a command unless it lies in the future, which ends the story.
func (s *story) say(command func(at time.Time) ticket.Command) {
	if s.over || s.at.After(s.play.Until) {
		s.over = true
		return
	}
	s.said = append(s.said, command(s.at))
}

// after lets time pass: about d, rarely much more.
func (s *story) after(d time.Duration) {
	f := 0.3 + s.ExpFloat64()*0.7
	s.at = s.at.Add(time.Duration(float64(d) * f)).Truncate(time.Second)
}

func (s *story) text(words string) seal.Text { return seal.New(s.who, words) }

func (s *story) chance(percent int) bool { return s.IntN(100) < percent }

func (s *story) open(id domain.UUID, customer int) {
	kind := pick(s.Rand, kinds)
	problem := problems[kind.name][s.IntN(len(problems[kind.name]))]
	s.agent = agents[s.IntN(len(agents))]
	s.say(func(at time.Time) ticket.Command {
		return ticket.Receive{
			At: at, Number: servicenumber.New(id).String(),
			Details: ticket.Details{
				Kind: kind.name, Channel: pick(s.Rand, channels).name, Priority: pick(s.Rand, priorities).name,
				Category: problem.category, Product: products[s.IntN(len(products))], Location: outlets[s.IntN(len(outlets))],
			},
			Customer:    s.who,
			Name:        s.text(surnames[customer%len(surnames)] + givenNames[customer/len(surnames)%len(givenNames)]),
			Contact:     s.text("1380" + pad(customer%10_000_000, 7)),
			Title:       s.text(problem.title),
			Description: s.text(problem.words),
		}
	})
}

func pad(n, width int) string {
	digits := strconv.Itoa(n)
	for len(digits) < width {
		digits = "0" + digits
	}
	return digits
}

func (s *story) work() {
	s.after(4 * time.Minute)
	s.say(func(at time.Time) ticket.Command { return ticket.Acknowledge{At: at} })
	s.after(15 * time.Minute)
	s.say(func(at time.Time) ticket.Command {
		return ticket.Assign{At: at, Team: teams[s.IntN(len(teams))], Agent: s.agent}
	})
	s.after(12 * time.Minute)
	s.say(func(at time.Time) ticket.Command {
		return ticket.Respond{At: at, Agent: s.agent, Message: s.text(replies[s.IntN(len(replies))])}
	})
	if s.chance(3) {
		s.after(time.Hour)
		s.say(func(at time.Time) ticket.Command {
			return ticket.Cancel{At: at, Reason: "withdrawn"}
		})
		return
	}
	if s.chance(8) {
		s.after(time.Hour)
		s.say(func(at time.Time) ticket.Command {
			return ticket.Escalate{At: at, To: "specialists", Reason: s.text("需要专员介入")}
		})
	}
	if s.chance(10) {
		s.say(func(at time.Time) ticket.Command {
			return ticket.ChangePriority{At: at, Priority: "high", Reason: s.text("客户营业受影响")}
		})
	}
	if s.chance(25) {
		s.after(2 * time.Hour)
		reason := waits[s.IntN(len(waits))]
		s.say(func(at time.Time) ticket.Command { return ticket.Wait{At: at, Reason: reason} })
		s.after(8 * time.Hour)
		s.say(func(at time.Time) ticket.Command { return ticket.Resume{At: at} })
	}
	if s.chance(60) {
		s.visit()
	}
	s.finish()
}

// visit sends a technician.
func (s *story) visit() {
	s.after(40 * time.Minute)
	s.say(func(at time.Time) ticket.Command { return ticket.Dispatch{At: at, Agent: s.agent} })
	s.after(3 * time.Hour)
	s.say(func(at time.Time) ticket.Command { return ticket.Arrive{At: at} })
	s.after(30 * time.Minute)
	cause := pick(s.Rand, causes).name
	s.say(func(at time.Time) ticket.Command { return ticket.Diagnose{At: at, Cause: cause} })
	s.after(4 * time.Hour)
	s.say(func(at time.Time) ticket.Command { return ticket.Plan{At: at, Plan: s.text(plans[s.IntN(len(plans))])} })
	s.after(time.Hour)
	s.say(func(at time.Time) ticket.Command { return ticket.Confirm{At: at} })
}

func (s *story) finish() {
	s.after(9 * time.Hour)
	resolve := func(at time.Time) ticket.Command {
		return ticket.Resolve{At: at, Resolution: "fixed", Agent: s.agent}
	}
	s.say(resolve)
	if s.chance(5) {
		s.after(20 * time.Hour)
		s.say(func(at time.Time) ticket.Command { return ticket.Reopen{At: at, Reason: s.text("问题再次出现")} })
		s.after(6 * time.Hour)
		s.say(resolve)
	}
	if s.chance(55) {
		s.after(10 * time.Hour)
		s.say(func(at time.Time) ticket.Command {
			score := s.score()
			rate := ticket.Rate{At: at, Score: score, Min: 1, Max: 5}
			if s.chance(40) {
				rate.Comment = s.text(comments[score][s.IntN(len(comments[score]))])
			}
			return rate
		})
	}
	s.after(30 * time.Hour)
	s.say(func(at time.Time) ticket.Command { return ticket.Close{At: at, Outcome: "done"} })
}

// score is four and a half stars on average, less where nobody answered for long.
func (s *story) score() int {
	switch n := s.IntN(100); {
	case n < 64:
		return 5
	case n < 87:
		return 4
	case n < 95:
		return 3
	case n < 98:
		return 2
	}
	return 1
}
