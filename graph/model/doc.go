// Package model holds the types of the GraphQL schema. What gqlgen can make is in generated.go; the rest is written by hand
// because it carries something the schema does not show.
package model
