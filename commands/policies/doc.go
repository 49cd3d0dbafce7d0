// Package policies brings policies from YAML files into the log, and from the log to those who decide by them. It does not
// decide what a valid policy is: package policy does.
//
// # Design
//
// A file is a list of versions of policies, in the fields of policy.Version:
//
//	policies:
//	  - id: office                 # the id other policies name it by
//	    version: 1                 # from 1, without gaps
//	    validFrom: 2026-01-01T00:00:00+08:00   # optional, as validTo, title and origin are
//	    calendar: {zone: Asia/Shanghai, week: {mon: [["09:00", "18:00"]]}}
//	  - id: service
//	    version: 1
//	    clocks:
//	      - {clock: resolution, start: [received], stop: [resolved], budget: 2, unit: working_days, calendar: office}
//
// A file is read strictly: a field that is not known is an error, and all problems are reported, each with its line. A
// version that was published never changes, so publishing a file again leads to nothing, and a changed rule is a further
// version in the file.
//
// Whoever decides holds a policy.Book, which is the fold of all published versions. It is small, so there is no read model of it:
// it is read from the log at the start and kept current by following it.
package policies
