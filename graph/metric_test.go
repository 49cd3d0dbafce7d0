package graph_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercare/domain/catalog"
	"aftercare/projections"
	"aftercare/projections/metric"
)

const sampleManifest = `
name: sample
version: 3
description: {en: One of each, zh: 各一}
events: [ticket.received.v1]
result: sample
key: [id]
columns:
  - {name: id, type: int, privacy: public, description: {en: The number, zh: 编号}}
  - {name: word, type: text, description: {en: A word}}
  - {name: price, type: numeric, unit: EUR, description: {en: Exact}}
  - {name: share, type: float, description: {en: Not exact}}
  - {name: at, type: timestamp, description: {en: An instant}}
  - {name: day, type: date, description: {en: A day}}
  - {name: good, type: bool, description: {en: Whether}}
  - {name: took, type: duration, unit: s, description: {en: How long}}
  - {name: secret, type: text, privacy: confidential, description: {en: Not for everybody}}
`

const sampleCreate = `
create table sample (
    id smallint primary key, word text, price numeric, share real, at timestamptz, day date, good boolean, took interval, secret text
);
insert into sample values
    (1, 'b', 12.50, 0.1, '2026-01-02T03:04:05.000006Z', '2026-01-02', true, '1 hour 0.5 seconds', 'x'),
    (2, 'a', 0.30, 'NaN', '2026-01-02T03:04:06Z', '2026-01-03', false, '-1 day', null),
    (3, null, null, null, null, null, null, null, 'y'),
    (4, 'b', 12.50, 0.1, '2026-01-02T03:04:05Z', '2026-01-02', null, '0', 'z'),
    (5, 'é''"$', 1, 0.2, null, '2026-02-01', true, null, null);
`

// withSample installs the metric, over all that is in the store.
func (b *bench) withSample() {
	b.Helper()
	d, err := metric.New(sampleManifest, sampleCreate, "select count(*) from batch")
	if err != nil {
		b.Fatal(err)
	}
	s := metric.Store{Pool: b.pool}
	if err := s.Install(b.Context(), d, func(ctx context.Context, v projections.View) error {
		r := projections.Rebuilder{Pool: b.pool, Log: b.store.Log(), Codec: catalog.Codec()}
		_, err := r.Rebuild(ctx, v)
		return err
	}); err != nil {
		b.Fatal(err)
	}
}

const allCells = `cells { __typename ... on TextCell {text} ... on IntCell {int} ... on NumericCell {numeric} ... on FloatCell {float}
	... on TimeCell {time} ... on DateCell {date} ... on BoolCell {bool} ... on DurationCell {seconds} ... on EmptyCell {type}
	... on ClosedCell {privacy} }`

func TestAMetricIsServedInTypedColumns(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fill()
	b.withSample()
	a := b.ask(`{ metrics {name version} none: metric(name: "none") {name} metric(name: "sample") {
		name version description key error parkedAt columns {name type unit description privacy}
		rows {pageInfo {hasNextPage hasPreviousPage} nodes {`+allCells+`} edges {node {cells {__typename}}}}
	} }`, nil)
	if len(a.Errors) > 0 {
		t.Fatal(a.Errors)
	}
	golden(t, "metric.json", a.Data)
	if a.Extensions.Consistency == nil || !a.Extensions.Consistency.Satisfied {
		t.Errorf("got %+v, want how fresh the answer is", a.Extensions.Consistency)
	}
	chinese := b.ask(`{ metric(name: "sample") {description} }`, nil, "Accept-Language", "zh-CN")
	if got := string(chinese.Data); got != `{"metric":{"description":"各一"}}` {
		t.Errorf("got %s", got)
	}
}

// TestAnInstantThatCannotBeSaidHidesNoRows has the infinite, which SQL uses for "until further notice".
func TestAnInstantThatCannotBeSaidHidesNoRows(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.withSample()
	if _, err := b.pool.Exec(t.Context(), `update view_metric_sample.sample set at = case id when 1 then 'infinity'::timestamptz else '12026-01-01Z' end where id < 3`); err != nil {
		t.Fatal(err)
	}
	a := b.ask(`{ metric(name: "sample") { rows(filter: {column: "at", gt: "9999-12-31T23:59:59Z"}) { nodes { cells { ... on EmptyCell {type} } } } } }`, nil)
	if got, want := string(a.Data), `{"metric":{"rows":{"nodes":[`+
		`{"cells":[{},{},{},{},{"type":"TIMESTAMP"},{},{},{},{}]},{"cells":[{},{},{},{},{"type":"TIMESTAMP"},{},{},{},{}]}]}}}`; len(a.Errors) > 0 || got != want {
		t.Errorf("got %v and\n%s, want\n%s", a.Errors, got, want)
	}
}

const metricPage = `query($filter: [MetricFilter!], $order: [MetricOrder!], $first: Int, $after: String, $last: Int, $before: String) {
	metric(name: "sample") { rows(filter: $filter, order: $order, first: $first, after: $after, last: $last, before: $before) {
		nodes {cells {... on IntCell {int}}} pageInfo {hasNextPage hasPreviousPage startCursor endCursor}
	} } }`

type metricRows struct {
	Metric struct {
		Rows struct {
			Nodes []struct {
				Cells []struct{ Int *int }
			}
			PageInfo struct {
				HasNextPage, HasPreviousPage bool
				StartCursor, EndCursor       *string
			}
		}
	}
}

// ids are the first cells.
func (m metricRows) ids() []int {
	var list []int
	for _, n := range m.Metric.Rows.Nodes {
		list = append(list, *n.Cells[0].Int)
	}
	return list
}

func TestTheRowsOfAMetricAreFiltered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.withSample()
	type filter = map[string]any
	for name, test := range map[string]struct {
		filters []filter
		want    []int
	}{
		"none":           {nil, []int{1, 2, 3, 4, 5}},
		"a text":         {[]filter{{"column": "word", "eq": "b"}}, []int{1, 4}},
		"quotes":         {[]filter{{"column": "word", "eq": `é'"$`}}, []int{5}},
		"several":        {[]filter{{"column": "word", "in": []string{"a", "b", "c"}}, {"column": "id", "gt": "1"}}, []int{2, 4}},
		"no values":      {[]filter{{"column": "word", "in": []string{}}}, nil},
		"a decimal":      {[]filter{{"column": "price", "eq": "12.5"}}, []int{1, 4}},
		"a real":         {[]filter{{"column": "share", "lt": "0.15"}}, []int{1, 4}},
		"between":        {[]filter{{"column": "at", "gte": "2026-01-02T04:04:05+01:00", "lt": "2026-01-02T03:04:06Z"}}, []int{1, 4}},
		"days":           {[]filter{{"column": "day", "lte": "2026-01-02"}}, []int{1, 4}},
		"a truth":        {[]filter{{"column": "good", "eq": "true"}}, []int{1, 5}},
		"seconds":        {[]filter{{"column": "took", "gt": "3600"}}, []int{1}},
		"without values": {[]filter{{"column": "took", "isNull": true}}, []int{3, 5}},
		"with values":    {[]filter{{"column": "good", "isNull": false}}, []int{1, 2, 5}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := data[metricRows](b.in(t), metricPage, map[string]any{"filter": test.filters, "first": 100}).ids()
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPagesOfAMetricGoBothWays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.withSample()
	type order = map[string]any
	for _, test := range []struct {
		order []order
		want  []int
	}{
		{nil, []int{1, 2, 3, 4, 5}},
		{[]order{{"column": "id", "direction": "DESC"}}, []int{5, 4, 3, 2, 1}},
		{[]order{{"column": "price"}}, []int{2, 5, 1, 4, 3}},
		{[]order{{"column": "price", "direction": "DESC"}, {"column": "at"}}, []int{3, 4, 1, 5, 2}},
		{[]order{{"column": "share"}, {"column": "at", "direction": "DESC"}}, []int{1, 4, 5, 2, 3}},
		{[]order{{"column": "took", "direction": "DESC"}}, []int{3, 5, 1, 4, 2}},
		{[]order{{"column": "good"}, {"column": "day", "direction": "DESC"}}, []int{2, 5, 1, 3, 4}},
	} {
		variables := map[string]any{"order": test.order, "first": 2}
		var forward, backward []int
		for range 5 {
			p := data[metricRows](b, metricPage, variables)
			forward = append(forward, p.ids()...)
			if !p.Metric.Rows.PageInfo.HasNextPage {
				break
			}
			variables["after"] = *p.Metric.Rows.PageInfo.EndCursor
		}
		if diff := cmp.Diff(test.want, forward); diff != "" {
			t.Errorf("order %v (-want +got):\n%s", test.order, diff)
		}
		variables = map[string]any{"order": test.order, "last": 2}
		for range 5 {
			p := data[metricRows](b, metricPage, variables)
			backward = append(p.ids(), backward...)
			if !p.Metric.Rows.PageInfo.HasPreviousPage {
				break
			}
			variables["before"] = *p.Metric.Rows.PageInfo.StartCursor
		}
		if diff := cmp.Diff(test.want, backward); diff != "" {
			t.Errorf("order %v, backward (-want +got):\n%s", test.order, diff)
		}
	}
}

func TestAMetricRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.withSample()
	cursor := *data[metricRows](b, metricPage, map[string]any{"first": 1}).Metric.Rows.PageInfo.EndCursor
	var many []map[string]any
	for range 51 {
		many = append(many, map[string]any{"column": "id", "eq": "1"})
	}
	for want, variables := range map[string]map[string]any{
		"metric.column-unknown":   {"filter": []map[string]any{{"column": "id; drop table sample", "eq": "1"}}},
		"metric.column-closed":    {"order": []map[string]any{{"column": "secret"}}},
		"metric.value":            {"filter": []map[string]any{{"column": "id", "eq": "1 or true"}}},
		"metric.filters-too-many": {"filter": many},
		"metric.values-too-many":  {"filter": []map[string]any{{"column": "word", "in": slices.Repeat([]string{"a"}, 1001)}}},
		"metric.unreadable":       {"filter": []map[string]any{{"column": "id", "eq": "9000000000000000000"}, {"column": "at", "lt": "0000-01-01T00:00:00Z"}}},
		"page.cursor-malformed":   {"after": cursor, "order": []map[string]any{{"column": "word"}}},
		"page.size":               {"first": 101},
	} {
		a := b.ask(metricPage, variables)
		if len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != want {
			t.Errorf("got %+v, want %s", a.Errors, want)
		}
	}
}
