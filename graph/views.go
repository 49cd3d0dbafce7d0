package graph

import (
	"context"
	"strconv"

	"aftercare/domain"
	"aftercare/graph/model"
)

var errManyNodes = domain.Refuse(domain.Invalid, "nodes.too-many", "max", strconv.Itoa(largestPage))

func (r *Resolver) viewStates(ctx context.Context) ([]*model.View, error) {
	ctx, cancel := context.WithTimeout(ctx, defaultWait) // the store may be away: then the rest is told without the lag
	defer cancel()
	statuses, err := r.Progress.Status(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]*model.View, len(statuses.Views))
	for i, s := range statuses.Views {
		v := &model.View{Name: s.View, Parked: s.Parked, Events: s.Events, Failing: s.Failing != nil}
		if s.Position != (domain.Position{}) {
			v.Position = &s.Position
		}
		if statuses.Store == nil {
			lag := s.Lag.Age.Milliseconds()
			v.LagMs, v.Behind = &lag, &s.Lag.Events
		}
		list[i] = v
	}
	return list, nil
}
