package main

import "aftercare/domain"

// What tests make histories with.
type (
	Keys = keys
	Step struct {
		Next string
		Of   int
	}
)

var (
	NewMaker = newMaker
	Encode   = encode
	Views    = views
)

func (m *maker) History(number int) (string, []domain.Event) { return m.history(number) }
func (m *maker) Length(number int) int                       { return m.length(number) }

func Steps() map[string][]Step {
	all := map[string][]Step{}
	for name, list := range steps() {
		for _, s := range list {
			all[name] = append(all[name], Step{s.next, s.of})
		}
	}
	return all
}
