package graph

import (
	"context"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"

	"aftercare/graph/auth"
	"aftercare/graph/generated"
	"aftercare/graph/graphiql"
)

// keepAlive is how often an idle subscription shows that it is alive.
const keepAlive = 15 * time.Second

// New returns the handler of the API at /graphql, and of GraphiQL at /. It answers only this machine: see package auth.
func New(c Config) http.Handler {
	r := newResolver(c)
	mux := http.NewServeMux()
	mux.Handle("/graphql", edge(r.Limits.Body, r.server()))
	mux.Handle("/graphiql/", http.StripPrefix("/graphiql", graphiql.Handler()))
	mux.Handle("GET /{$}", http.RedirectHandler("/graphiql/", http.StatusFound))
	r.Log.Warn("no sign-in is configured: everybody on this machine is the principal development")
	return headers(auth.Local(r.Log, http.NewCrossOriginProtection().Handler(mux)))
}

func (r *Resolver) server() http.Handler {
	s := handler.New(generated.NewExecutableSchema(generated.Config{Resolvers: r}))
	s.AddTransport(transport.Websocket{
		Implementation: sockets{}, InitTimeout: r.InitTimeout, PingPongInterval: keepAlive, PayloadReadLimit: &r.Limits.Body,
	})
	s.AddTransport(transport.SSE{KeepAlivePingInterval: keepAlive})
	s.AddTransport(transport.POST{})
	s.SetQueryCache(lru.New[*ast.QueryDocument](1000))
	s.SetParserTokenLimit(r.Limits.Tokens)
	s.SetErrorPresenter(presenter(r.Log, r.NewID))
	s.SetRecoverFunc(recoverer(r.Log, debug.Stack))
	s.Use(extension.Introspection{})
	s.Use(r.Limits)
	s.AroundOperations(r.operation)
	s.AroundResponses(tellFreshness)
	return s
}

// operation gives queries and mutations a deadline, and their reads a place to say how fresh they are.
func (r *Resolver) operation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if graphql.GetOperationContext(ctx).Operation.Operation == ast.Subscription {
		return next(ctx)
	}
	ctx, end := r.traced(ctx)
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, freshnessKey{}, &freshness{satisfied: true}), r.Deadline)
	respond := next(ctx)
	return func(ctx context.Context) *graphql.Response {
		defer cancel()
		response := respond(ctx)
		end(response)
		return response
	}
}

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}
