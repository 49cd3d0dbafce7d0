// Package stat turns counts and samples into figures that say how sure they are. It is pure: it neither counts nor
// rounds for display, and it knows nothing of cases.
//
// # Design
//
// A ratio without its numerator and denominator cannot be checked, and one without an interval cannot be judged, so
// neither exists here. Small samples are marked, never hidden.
package stat
