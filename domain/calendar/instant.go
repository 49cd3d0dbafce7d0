package calendar

import (
	"math"
	"time"
)

// Span is a half-open stretch of time, in UTC.
type Span struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// instant is a time as whole seconds since 1970 and the nanoseconds after them. Arithmetic on it neither allocates nor,
// unlike time.Duration, ends after 292 years.
type instant struct{ sec, nsec int64 }

func instantOf(t time.Time) instant { return instant{t.Unix(), int64(t.Nanosecond())} }

func (i instant) time() time.Time { return time.Unix(i.sec, i.nsec).UTC() }

func (i instant) before(j instant) bool { return i.sec < j.sec || i.sec == j.sec && i.nsec < j.nsec }

func (i instant) plus(j instant) instant { return normal(i.sec+j.sec, i.nsec+j.nsec) }

func (i instant) minus(j instant) instant { return normal(i.sec-j.sec, i.nsec-j.nsec) }

// ceil returns the first whole second that is not before i.
func (i instant) ceil() int64 {
	if i.nsec > 0 {
		return i.sec + 1
	}
	return i.sec
}

// duration saturates at the longest time.Duration.
func (i instant) duration() time.Duration {
	if i.sec > math.MaxInt64/int64(time.Second)-1 {
		return math.MaxInt64
	}
	return time.Duration(i.sec)*time.Second + time.Duration(i.nsec)
}

func amount(d time.Duration) instant { return instant{int64(d / time.Second), int64(d % time.Second)} }

func normal(sec, nsec int64) instant {
	switch {
	case nsec < 0:
		return instant{sec - 1, nsec + int64(time.Second)}
	case nsec >= int64(time.Second):
		return instant{sec + 1, nsec - int64(time.Second)}
	}
	return instant{sec, nsec}
}

func earlier(a, b instant) instant {
	if b.before(a) {
		return b
	}
	return a
}

func later(a, b instant) instant {
	if a.before(b) {
		return b
	}
	return a
}
