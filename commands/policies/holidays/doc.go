// Package holidays reads which days are off, and which are worked instead, from files that others publish: the JSON of
// https://github.com/NateScarlet/holiday-cn, a file a year, and iCalendar (RFC 5545). It makes calendars of them.
//
// A feed for people also has days that nobody is off on: Mother's Day, the beginning of summer time. Where it says so (a category, or a
// description that begins with it, "Observance", as Google's feeds have it) they are kept apart, and whoever imports them sees both lists.
package holidays
