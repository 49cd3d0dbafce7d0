package graph

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"aftercare/commands"
	"aftercare/domain"
	"aftercare/graph/locale"
	"aftercare/graph/model"
	"aftercare/projections"
)

// problem turns a refusal into the type a mutation answers with.
func problem(refusal *domain.Error, words locale.Words) model.TicketResult {
	code, message, params := refusal.Code, words.Of(refusal), attributes(refusal.Params)
	switch refusal.Kind {
	case domain.Invalid:
		return model.InvalidInput{Code: code, Message: message, Params: params}
	case domain.NotFound:
		return model.NotFound{Code: code, Message: message, Params: params}
	case domain.WrongState:
		return model.WrongState{Code: code, Message: message, Params: params}
	case domain.Conflict:
		if code == "command.key-reused" {
			return model.IdempotencyConflict{Code: code, Message: message, Params: params}
		}
		return model.Conflict{Code: code, Message: message, Params: params}
	case domain.Forbidden:
		return model.Forbidden{Code: code, Message: message, Params: params}
	case domain.Unavailable:
	}
	return model.Unavailable{Code: code, Message: message, Params: params, Retryable: true}
}

// refusalOf finds the refusal in an error: its own, or one that stands for a store that cannot be reached.
func refusalOf(err error) (*domain.Error, bool) {
	if refusal, ok := errors.AsType[*domain.Error](err); ok {
		return refusal, true
	}
	if errors.Is(err, commands.ErrUnavailable) {
		return domain.Refuse(domain.Unavailable, "store.unavailable"), true
	}
	if unreachable(err) || errors.Is(err, projections.ErrUnknown) { // a view that was never begun
		return domain.Refuse(domain.Unavailable, "views.unavailable"), true
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return domain.Refuse(domain.Unavailable, "operation.timeout"), true
	}
	return nil, false
}

// unreachable reports whether Postgres could not be asked: no connection, or it is going down or full.
func unreachable(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "08") || pg.Code == "53300"
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	_, network := errors.AsType[*net.OpError](err)
	return network || errors.Is(err, io.ErrUnexpectedEOF)
}

// presenter turns errors into what a client may see. A refusal keeps its code; what the library says about the document
// itself passes; everything else becomes "internal" with a correlation id, and goes to the log whole.
func presenter(log *slog.Logger, newID func() domain.UUID) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		shown := graphql.DefaultErrorPresenter(ctx, err)
		words := locale.From(ctx)
		refusal, ok := refusalOf(err)
		switch {
		case ok:
			if refusal.Kind == domain.Unavailable {
				log.WarnContext(ctx, "a server behind the API is unavailable", "error", err)
			}
		case ownWords(err):
			return shown
		case errors.Is(err, context.Canceled):
			refusal = domain.Refuse(domain.Unavailable, "operation.cancelled")
		default:
			id := newID().String()
			log.ErrorContext(ctx, "a resolver failed", "correlation_id", id, "path", shown.Path.String(), "error", err)
			refusal = domain.Refuse(domain.Unavailable, "internal", "correlationId", id)
		}
		extensions := map[string]any{"code": refusal.Code, "kind": refusal.Kind.String()}
		if len(refusal.Params) > 0 {
			extensions["params"] = refusal.Params
		}
		if refusal.Kind == domain.Unavailable {
			extensions["retryable"] = refusal.Code != "internal"
		}
		return &gqlerror.Error{Message: words.Of(refusal), Path: shown.Path, Locations: shown.Locations, Extensions: extensions}
	}
}

// ownWords reports whether the library itself wrote the error, about the document or the request.
func ownWords(err error) bool {
	e, ok := errors.AsType[*gqlerror.Error](err)
	return ok && e.Unwrap() == nil
}

// recoverer turns a panic into an error for the presenter; the stack goes to the log.
func recoverer(log *slog.Logger, stack func() []byte) graphql.RecoverFunc {
	return func(ctx context.Context, p any) error {
		log.ErrorContext(ctx, "a resolver panicked", "panic", p, "stack", string(stack()))
		return errPanic
	}
}

var errPanic = errors.New("a resolver panicked")
