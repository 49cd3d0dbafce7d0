package main

import "runtime/debug"

// roomy lets the heap grow to three times what is in use, instead of twice, for work that makes much and soon forgets it: collecting was
// a sixth of the processor time of an import and of a rebuild. It changes nothing when GOGC is set. Call restore at the end.
func roomy() (restore func()) { return growth(200) }

// growth lets the heap grow by that many percent of what is in use, unless GOGC is set. Call restore at the end.
func growth(percent int) (restore func()) {
	const usual = 100
	was := debug.SetGCPercent(percent)
	if was != usual {
		debug.SetGCPercent(was)
	}
	return func() { debug.SetGCPercent(was) }
}
