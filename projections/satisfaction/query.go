package satisfaction

import (
	"time"

	"aftercare/domain"
	"aftercare/projections/facet"
	"aftercare/projections/page"
	"aftercare/projections/stat"
)

// Rating is one answer.
type Rating struct {
	Ticket   domain.UUID
	Revision uint64
	At       time.Time
	Score    int
	Min      int
	Max      int
	Comment  string
	// CommentForgotten says that there was a comment and that the key of the person was destroyed.
	CommentForgotten bool
	// Latest says that no later rating of the case is known.
	Latest bool
	// Team and Agent performed the resolving act that was rated.
	Team  string
	Agent string
	// ReceivedAt and the dimensions are those of the case at the time of the rating.
	ReceivedAt  time.Time
	CaseSource  string
	Kind        string
	Channel     string
	Priority    string
	Category    string
	Subcategory string
	Product     string
	Location    string
}

// Conversion says how a score becomes a figure between 0 and 100.
type Conversion uint8

// The conversions. The zero Conversion is ToRatio.
const (
	// ToRatio is score/max: 4.5 of 5 is 90.
	ToRatio Conversion = iota + 1
	// ToRange is (score-min)/(max-min): 4.5 on 1..5 is 87.5.
	ToRange
)

// Query asks for figures over ratings. Group by facet.Week, Month or Year for periods: those of the rating in Zone.
type Query struct {
	Filter  facet.Filter
	GroupBy []facet.By
	// Zone is the reporting zone of periods. Defaults to UTC.
	Zone string
	// From and To bound the time of the rating: from, inclusive, to, exclusive. Zero is unbounded.
	From, To   time.Time
	Conversion Conversion
	// AllAnswers counts every rating. The default is the last of each case.
	AllAnswers bool
	// Goal, between 0 and 100, is what Percent is judged against; zero for none.
	Goal float64
}

// Ratings are the figures of one group of answers. Answers on different scales are never averaged raw: Mean is nil then.
type Ratings struct {
	Group []facet.Value
	N     int64
	// Min and Max are the scale, 0 when several were used. Mean is on that scale.
	Min, Max int
	Mean     *stat.Mean
	// Percent is the mean of the converted scores, between 0 and 100, over those the conversion makes sense for.
	Percent stat.Mean
	// TopBox is the share of the upper part of the scale: the score converted to the range is at least 75, as 4 and 5 of
	// 1..5 are.
	TopBox stat.Ratio
	// Sufficient says that there are at least stat.MinSample answers.
	Sufficient bool
	// Goal compares the interval of Percent with Query.Goal; zero when none was given.
	Goal stat.Goal
}

// ListQuery asks for a page of ratings, newest first.
type ListQuery struct {
	Filter facet.Filter
	From   time.Time
	To     time.Time
	Page   page.Page
}

// List is a page of ratings. Cursors are those of the rows, in the same order.
type List struct {
	Rows    []Rating
	Cursors []string
	page.Info
}
