package auth

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"aftercare/domain"
)

// Header is the response header that says who the server takes the client for.
const Header = "Aftercare-Principal"

// Development is the principal of everybody while no sign-in is configured.
var Development = domain.Principal{ID: "development", Roles: []string{"development"}}

// CheckListen refuses an address to listen on that others than this machine can reach: without sign-in they would all be
// let in.
func CheckListen(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("read the address to listen on: %w", err)
	}
	if !loopback(host) {
		return fmt.Errorf("listen on %s: without sign-in only loopback addresses are served, such as 127.0.0.1", address)
	}
	return nil
}

// Local lets in who comes from this machine, under one of its own names, as Development; everybody else gets 403.
func Local(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(Header, Development.ID+"; no sign-in is configured")
		if why := stranger(r); why != "" {
			log.WarnContext(r.Context(), "a request from elsewhere was refused", "reason", why, "remote", r.RemoteAddr, "host", r.Host)
			http.Error(w, "Without sign-in this server answers only its own machine: "+why+".", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r.WithContext(WithPrincipal(r.Context(), Development)))
	})
}

func stranger(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err != nil || !loopback(host) {
		return "the client is not on it"
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if !loopback(strings.Trim(host, "[]")) {
		return "the name asked for is not its own"
	}
	if r.Header.Get("Forwarded") != "" || r.Header.Get("X-Forwarded-For") != "" {
		return "a proxy brought the request"
	}
	return ""
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

type principalKey struct{}

// WithPrincipal returns a context that carries who asks, from the edge to the resolvers.
func WithPrincipal(ctx context.Context, p domain.Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// Principal returns who asks, nobody when that was not settled.
func Principal(ctx context.Context) domain.Principal {
	p, _ := ctx.Value(principalKey{}).(domain.Principal)
	return p
}
