// Package graph is the GraphQL API: the schema, its resolvers, and the HTTP handler that serves them with GraphiQL.
package graph

//go:generate go tool gqlgen generate --config ../gqlgen.yml
