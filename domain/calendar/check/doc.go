// Package check evaluates files of calendar cases that somebody else wrote: calendars by name, questions about them and
// the expected answers. It leaves out where the file comes from and how the report is shown.
//
// # Design
//
// One bad case never hides the others: whatever cannot be evaluated is listed beside what came out wrong, and only a file
// that is not of the format at all is an error. Fields that the format does not have are ignored.
package check
