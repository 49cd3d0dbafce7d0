// Package fold makes a read model of one table out of a fold over streams. It is for tables in which every row belongs
// to one stream: a row a case, a row a clock, a row an entry of a history. What counts across streams (a total a day) is
// a query over such rows, or a view written by hand.
//
// A view is then a row type, its columns and one function:
//
//	type row struct {
//		Stream string
//		Opened time.Time
//		Closed *time.Time
//	}
//
//	//go:embed create.sql
//	var tables string // create table ticket (stream text not null, opened timestamptz not null, closed timestamptz);
//
//	//go:embed index.sql
//	var indexes string // create unique index on ticket (stream); ...
//
//	func View() projections.View {
//		return &fold.View[row]{
//			ID: "ticket", Table: "ticket", Create: tables, Index: indexes,
//			Types:   []string{ticket.TypeReceived, ticket.TypeClosed},
//			Columns: []string{"stream", "opened", "closed"},
//			Fields:  func(r *row) []any { return []any{&r.Stream, &r.Opened, &r.Closed} },
//			Fold: func(rows []row, e domain.Recorded) ([]row, error) {
//				switch event := e.Event.(type) {
//				case ticket.Received:
//					return append(rows, row{Stream: e.Stream, Opened: event.At}), nil
//				case ticket.Closed:
//					for i := range rows {
//						rows[i].Closed = &event.At
//					}
//				}
//				return rows, nil
//			},
//		}
//	}
//
// # Design
//
// The rows of the streams of a batch are loaded with one query, folded in memory, and replaced with one DELETE and one
// COPY: three statements a batch, however many events and rows. A rebuild is the same fold with nothing to load. A table
// whose rows never change once written (a history) says so with AppendOnly, and is then only copied into.
//
// The index that finds the rows of a stream must exist while the view is live, and is best made in Index: a bulk load is
// faster without it.
package fold
