package graph

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"aftercare/domain"
	"aftercare/graph/generated"
	"aftercare/graph/locale"
	"aftercare/graph/model"
	"aftercare/projections/metric"
	"aftercare/projections/page"
)

// Metrics has the metrics that are installed: a metric.Store does.
type Metrics interface {
	List(ctx context.Context) ([]metric.Installed, error)
	Load(ctx context.Context, name string) (metric.Installed, error)
	Read(ctx context.Context, m metric.Installed, q metric.Query) ([]metric.Row, page.Info, error)
}

// Metrics is the resolver for the metrics field.
func (r *queryResolver) Metrics(ctx context.Context) ([]*model.Metric, error) {
	all, err := r.Config.Metrics.List(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]*model.Metric, len(all))
	for i, m := range all {
		list[i] = metricOf(m, locale.From(ctx))
	}
	return list, nil
}

// Metric is the resolver for the metric field.
func (r *queryResolver) Metric(ctx context.Context, name string) (*model.Metric, error) {
	m, err := r.Config.Metrics.Load(ctx, name)
	if refusal, ok := errors.AsType[*domain.Error](err); ok && refusal.Kind == domain.NotFound {
		return nil, nil //nolint:nilnil // null is the answer
	}
	if err != nil {
		return nil, err
	}
	return metricOf(m, locale.From(ctx)), nil
}

// Rows is the resolver for the rows field.
func (r *metricResolver) Rows(ctx context.Context, obj *model.Metric, filter []*model.MetricFilter, order []*model.MetricOrder, first *int, after *string, last *int, before *string, consistency *model.ConsistencyInput) (*model.MetricRowConnection, error) {
	p, err := pageOf(first, after, last, before)
	if err != nil {
		return nil, err
	}
	m := obj.Installed
	if m.Ready { // else reading refuses
		if err := r.await(ctx, consistency, metric.ViewName(m.Name)); err != nil {
			return nil, err
		}
	}
	found, info, err := r.Metrics.Read(ctx, m, metricQuery(filter, order, p))
	if err != nil {
		return nil, err
	}
	list := &model.MetricRowConnection{Edges: []*model.MetricRowEdge{}, Nodes: []*model.MetricRow{}}
	var cursors []string
	for _, row := range found {
		node := &model.MetricRow{Cells: make([]model.MetricCell, len(row.Cells))}
		for i, c := range row.Cells {
			if node.Cells[i], err = metricCell(m.Columns[i], c); err != nil {
				return nil, err
			}
		}
		list.Nodes = append(list.Nodes, node)
		list.Edges = append(list.Edges, &model.MetricRowEdge{Cursor: row.Cursor, Node: node})
		cursors = append(cursors, row.Cursor)
	}
	list.PageInfo = pageInfo(info, cursors)
	return list, nil
}

func metricQuery(filter []*model.MetricFilter, order []*model.MetricOrder, p page.Page) metric.Query {
	q := metric.Query{Page: p}
	for _, f := range filter {
		q.Filters = append(q.Filters, metric.Filter{
			Column: f.Column, Eq: f.Eq, In: f.In, Lt: f.Lt, Lte: f.Lte, Gt: f.Gt, Gte: f.Gte, Null: f.IsNull,
		})
	}
	for _, o := range order {
		q.Order = append(q.Order, metric.Order{Column: o.Column, Desc: o.Direction == model.DirectionDesc})
	}
	return q
}

func metricOf(m metric.Installed, words locale.Words) *model.Metric {
	shown := &model.Metric{
		Name: m.Name, Version: m.Version, Description: m.Description.In(words.Tag()), Key: m.Key, Error: m.Error, ParkedAt: m.ParkedAt,
		Columns: make([]*model.MetricColumn, len(m.Columns)), Installed: m,
	}
	for i, c := range m.Columns {
		shown.Columns[i] = &model.MetricColumn{
			Name: c.Name, Type: metricType(c), Unit: known(c.Unit), Description: c.Description.In(words.Tag()), Privacy: privacy(c),
		}
	}
	return shown
}

func metricType(c metric.Column) model.MetricType {
	return model.MetricType(strings.ToUpper(string(c.Type)))
}

func privacy(c metric.Column) model.Privacy { return model.Privacy(strings.ToUpper(string(c.Privacy))) }

// metricCell is a value in the type of its column.
func metricCell(column metric.Column, c metric.Cell) (cell model.MetricCell, err error) {
	switch {
	case c.Closed:
		return model.ClosedCell{Privacy: privacy(column)}, nil
	case c.Null:
		return model.EmptyCell{Type: metricType(column)}, nil
	}
	switch column.Type {
	case metric.Text:
		cell = model.TextCell{Text: c.Text}
	case metric.Numeric:
		cell = model.NumericCell{Numeric: c.Text}
	case metric.Date:
		cell = model.DateCell{Date: c.Text}
	case metric.Bool:
		cell = model.BoolCell{Bool: c.Text == "true"}
	case metric.Int:
		var n int64
		n, err = strconv.ParseInt(c.Text, 10, 64)
		cell = model.IntCell{Int: n}
	case metric.Time:
		t, unsaid := time.Parse(time.RFC3339Nano, c.Text)
		cell = model.TimeCell{Time: t.UTC()}
		if unsaid != nil { // infinite, or of a year that RFC 3339 does not have
			cell = model.EmptyCell{Type: metricType(column)}
		}
	case metric.Float:
		var f float64
		f, err = strconv.ParseFloat(c.Text, 64)
		number := model.FloatCell{}
		if !math.IsNaN(f) && !math.IsInf(f, 0) {
			number.Float = &f
		}
		cell = number
	case metric.Duration:
		var f float64
		f, err = strconv.ParseFloat(c.Text, 64)
		cell = model.DurationCell{Seconds: f}
	}
	return cell, err
}

// Metric returns generated.MetricResolver implementation.
func (r *Resolver) Metric() generated.MetricResolver { return &metricResolver{r} }

type metricResolver struct{ *Resolver }
