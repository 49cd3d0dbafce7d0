package eventnode

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"aftercare/deploy/eventnode/storage"
)

// open are the calls that need no credentials: clients make them before they have any.
var open = map[string]bool{
	serverfeatures.ServerFeatures_GetSupportedMethods_FullMethodName: true,
	gossip.Gossip_Read_FullMethodName:                                true,
}

// heardAtOnce is how many calls without credentials are heard at once.
const heardAtOnce = 8

func unauthenticated() error { return failure(codes.Unauthenticated, "Unauthenticated") }

// authenticate refuses a call without the credentials of a user. Credentials that are wrong are refused everywhere.
func (n *Node) authenticate(ctx context.Context, method string) error {
	if n.users == nil {
		return nil
	}
	header := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(header) == 0 && open[method] {
		return nil
	}
	if len(header) != 1 {
		return unauthenticated()
	}
	name, password, ok := basic(header[0])
	if !ok {
		return unauthenticated()
	}
	if ok, err := n.users.verify(ctx, callerOf(ctx), name, password); err != nil {
		return err
	} else if !ok {
		return unauthenticated()
	}
	return nil
}

func (n *Node) streamAuth(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := n.authenticate(stream.Context(), info.FullMethod); err != nil {
		n.hear(stream, info)
		return err
	}
	return next(srv, stream)
}

// hear reads what the caller says before it reads answers: a client that is still sending sees the end of the call
// and not the reason. A few are heard at once: each may say as much as a message holds, and anybody may call.
func (n *Node) hear(stream grpc.ServerStream, info *grpc.StreamServerInfo) {
	select {
	case n.hearing <- struct{}{}:
		defer func() { <-n.hearing }()
	default:
		return
	}
	messages := 0
	switch {
	case info.IsClientStream && info.IsServerStream:
		messages = 1
	case info.IsClientStream:
		messages = 1 + storage.MaxEvents
	}
	for range messages {
		if err := stream.RecvMsg(new(shared.Empty)); err != nil {
			return
		}
	}
}

// callerOf returns the address of whoever makes a call.
func callerOf(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok {
		return p.Addr.String()
	}
	return ""
}

// basic reads the credentials of a header of the Basic scheme.
func basic(header string) (name, password string, ok bool) {
	scheme, encoded, found := strings.Cut(header, " ")
	if !found || !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(plain), ":")
}

// usersOnly lets only users through, if there are any.
func (n *Node) usersOnly(next http.Handler) http.Handler {
	return n.guard(next, func(string) bool { return true })
}

// adminOnly lets only the administrator through, if there are users.
func (n *Node) adminOnly(next http.Handler) http.Handler {
	return n.guard(next, func(name string) bool { return name == admin })
}

func (n *Node) guard(next http.Handler, may func(name string) bool) http.Handler {
	if n.users == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, password, ok := r.BasicAuth()
		if ok {
			ok, _ = n.users.verify(r.Context(), r.RemoteAddr, name, password) // an error is that the caller is gone
		}
		switch {
		case !ok:
			w.Header().Set("WWW-Authenticate", `Basic realm="event node", charset="UTF-8"`)
			http.Error(w, "Unauthenticated", http.StatusUnauthorized)
		case !may(name):
			http.Error(w, "Access Denied", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}
