package clock

import "aftercare/domain"

// Unit is what a budget counts.
type Unit uint8

// The units.
const (
	// Minutes are open minutes of the calendar.
	Minutes Unit = iota + 1
	// WorkingDays end at the close of business of the n-th working day after the day of the start.
	WorkingDays
	// WorkingDaysSameTime end n working days later at the time of day the clock started; a start outside hours counts from
	// the next opening.
	WorkingDaysSameTime
	// CalendarDays end at 24:00 local time of the n-th day after the day of the start.
	CalendarDays
	// CalendarDaysSameTime end n days later at the time of day the clock started.
	CalendarDaysSameTime
)

var unitNames = [...]string{
	Minutes: "minutes", WorkingDays: "working_days", WorkingDaysSameTime: "working_days_same_time", CalendarDays: "calendar_days",
	CalendarDaysSameTime: "calendar_days_same_time",
}

// String returns the stored name, or "" for the zero Unit.
func (u Unit) String() string {
	if int(u) < len(unitNames) {
		return unitNames[u]
	}
	return ""
}

// ParseUnit reads a stored name.
func ParseUnit(s string) (Unit, error) {
	for u, name := range unitNames {
		if name == s && name != "" {
			return Unit(u), nil
		}
	}
	return 0, domain.Refuse(domain.Invalid, "clock.unknown-unit", "value", s)
}

// MarshalText writes the stored name.
func (u Unit) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText reads a stored name.
func (u *Unit) UnmarshalText(b []byte) (err error) {
	*u, err = ParseUnit(string(b))
	return err
}

// Carry says how an instance that takes another's place begins.
type Carry uint8

// The carries.
const (
	// Restart gives the whole budget from the moment of the change.
	Restart Carry = iota + 1
	// CarryElapsed gives the new budget less the time the old instance had counted.
	CarryElapsed
	// FromOrigin counts the new budget from the start of the old instance.
	FromOrigin
)

var carryNames = [...]string{Restart: "restart", CarryElapsed: "carry_elapsed", FromOrigin: "from_origin"}

// String returns the stored name, or "" for the zero Carry.
func (c Carry) String() string {
	if int(c) < len(carryNames) {
		return carryNames[c]
	}
	return ""
}

// ParseCarry reads a stored name.
func ParseCarry(s string) (Carry, error) {
	for c, name := range carryNames {
		if name == s && name != "" {
			return Carry(c), nil
		}
	}
	return 0, domain.Refuse(domain.Invalid, "clock.unknown-carry", "value", s)
}

// MarshalText writes the stored name.
func (c Carry) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads a stored name.
func (c *Carry) UnmarshalText(b []byte) (err error) {
	*c, err = ParseCarry(string(b))
	return err
}
