// Package ticket is one after-sales case, from received to closed.
//
// # Design
//
// A case has a phase (open, waiting, resolved, closed, cancelled) and many facts. What we decide ourselves is held to the
// lifecycle; what another system of record says happened (RecordStatus) is history and is not up to debate: it is kept
// verbatim, and the facts that follow from it are recorded beside it. Clocks start, stop, pause and lapse in the same
// decision as the fact that moves them, so a promise and its reason are one append.
package ticket
