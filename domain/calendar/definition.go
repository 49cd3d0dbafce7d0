package calendar

import "time"

// Definition is a calendar as plain data, the form it is written, stored and exchanged in.
type Definition struct {
	// Zone is an IANA name such as "Europe/London".
	Zone string `json:"zone" yaml:"zone"`
	// Week holds the open intervals of "mon" to "sun". A day that is absent is closed.
	Week map[string][]Interval `json:"week,omitempty" yaml:"week,omitempty"`
	// Holidays are closed dates, "2006-01-02".
	Holidays []string `json:"holidays,omitempty" yaml:"holidays,omitempty"`
	// Makeup are dates worked for MakeupHours, whatever the week and the holidays say.
	Makeup      []string   `json:"makeup,omitempty" yaml:"makeup,omitempty"`
	MakeupHours []Interval `json:"makeupHours,omitempty" yaml:"makeupHours,omitempty"`
	// Known are the years whose holidays and make-up days are published. What reaches into others is provisional. Absent: every year is.
	Known *Years `json:"known,omitempty" yaml:"known,omitempty"`
}

// Years are years of the Gregorian calendar, both ends included.
type Years struct {
	From int `json:"from" yaml:"from"`
	To   int `json:"to" yaml:"to"`
}

// Interval is an opening and a closing in local wall time, "15:04", half-open. "24:00" is the end of the day. It is a list
// so that one of another length is a problem New reports beside the others, and not an error of decoding.
type Interval []string

// AlwaysOpen returns the definition of a calendar of a zone that is open at every instant.
func AlwaysOpen(zone string) Definition {
	d := Definition{Zone: zone, Week: make(map[string][]Interval, daysPerWeek)}
	for _, name := range dayNames {
		d.Week[name] = []Interval{{"00:00", "24:00"}}
	}
	return d
}

const daysPerWeek = 7

// dayNames are the keys of Definition.Week, indexed by time.Weekday.
var dayNames = [daysPerWeek]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func parseDay(name string) (time.Weekday, bool) {
	for day, n := range dayNames {
		if n == name {
			return time.Weekday(day), true
		}
	}
	return 0, false
}

// parseClock reads "15:04" or "24:00" into seconds after midnight.
func parseClock(s string) (int64, bool) {
	if len(s) != len("15:04") || s[2] != ':' {
		return 0, false
	}
	for _, i := range [...]int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	hour, minute := int64(s[0]-'0')*10+int64(s[1]-'0'), int64(s[3]-'0')*10+int64(s[4]-'0')
	if minute > 59 || hour > 24 || hour == 24 && minute > 0 {
		return 0, false
	}
	return hour*3600 + minute*60, true
}
