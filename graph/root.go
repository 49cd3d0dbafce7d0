package graph

import (
	"context"

	"aftercare/graph/auth"
	"aftercare/graph/generated"
	"aftercare/graph/model"
)

// Node is the resolver for the node field.
func (r *queryResolver) Node(ctx context.Context, id string, consistency *model.ConsistencyInput) (model.Node, error) {
	found, err := r.nodes(ctx, []string{id}, consistency)
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// Nodes is the resolver for the nodes field.
func (r *queryResolver) Nodes(ctx context.Context, ids []string, consistency *model.ConsistencyInput) ([]model.Node, error) {
	if len(ids) > largestPage {
		return nil, errManyNodes
	}
	return r.nodes(ctx, ids, consistency)
}

// Views is the resolver for the views field.
func (r *queryResolver) Views(ctx context.Context) ([]*model.View, error) {
	return r.viewStates(ctx)
}

// Viewer is the resolver for the viewer field.
func (r *queryResolver) Viewer(ctx context.Context) (*model.Viewer, error) {
	who := auth.Principal(ctx)
	return &model.Viewer{
		Principal: who.ID, Roles: append([]string{}, who.Roles...), Development: who.ID == auth.Development.ID,
	}, nil
}

// Mutation returns generated.MutationResolver implementation.
func (r *Resolver) Mutation() generated.MutationResolver { return &mutationResolver{r} }

// Query returns generated.QueryResolver implementation.
func (r *Resolver) Query() generated.QueryResolver { return &queryResolver{r} }

// Subscription returns generated.SubscriptionResolver implementation.
func (r *Resolver) Subscription() generated.SubscriptionResolver { return &subscriptionResolver{r} }

type (
	mutationResolver     struct{ *Resolver }
	queryResolver        struct{ *Resolver }
	subscriptionResolver struct{ *Resolver }
)
