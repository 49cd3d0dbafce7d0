// Package scan reads JSON as this program writes it: without spaces, with few escapes and with the names of fields as they are
// declared. It leaves out everything else that JSON allows: who finds that a Scanner failed reads with encoding/json.
//
// # Design
//
// Every event of a log is decoded when a view is rebuilt, and encoding/json, which goes by reflection, takes most of that time. A
// type that is decoded often reads itself instead, field by field:
//
//	func (Assigned) Scan(s *scan.Scanner) domain.Event {
//		var e Assigned
//		for s.Object(); s.Field(); {
//			switch string(s.Name()) {
//			case "at":
//				e.At = s.Instant()
//			case "team":
//				e.Team = s.Code()
//			default:
//				s.Fail()
//			}
//		}
//		return e
//	}
//
// What is read is what encoding/json reads from the same bytes, or the Scanner has failed: a method may know too little, and is
// then only slow. A test of the catalog holds each one against encoding/json.
package scan
