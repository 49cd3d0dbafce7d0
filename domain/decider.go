package domain

// Decider is an aggregate as two pure functions.
type Decider[S any, C any, E Event] struct {
	// Category names the streams: the stream of id "7" is "<Category>-7".
	Category string
	// Decide returns the events a command leads to; none when the wish is already fulfilled; an error, always an
	// *Error, when a rule forbids it. It must not change S.
	Decide func(S, C) ([]E, error)
	// Evolve folds one event. It accepts everything ever stored and never fails.
	Evolve func(S, E) S
}

// Stream returns the name of the stream of one instance.
func (d Decider[S, C, E]) Stream(id string) string { return d.Category + "-" + id }

// Fold returns the state after events, from the state s.
func (d Decider[S, C, E]) Fold(s S, events ...E) S {
	for _, e := range events {
		s = d.Evolve(s, e)
	}
	return s
}

// DecideAll decides commands one after another, each on the state the earlier ones left, and returns all their
// events and the state after them. The first refusal refuses them all: then there is neither.
func (d Decider[S, C, E]) DecideAll(s S, commands ...C) ([]E, S, error) {
	var all []E
	for _, c := range commands {
		events, err := d.Decide(s, c)
		if err != nil {
			var none S
			return nil, none, err
		}
		s = d.Fold(s, events...)
		all = append(all, events...)
	}
	return all, s, nil
}
