package auth_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"aftercare/graph/auth"
)

func TestCheckListen(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"127.0.0.1:8080": true, "127.9.9.9:0": true, "[::1]:8080": true, "localhost:8080": true, "[::ffff:127.0.0.1]:1": true,
		":8080": false, "0.0.0.0:8080": false, "[::]:8080": false, "192.0.2.1:8080": false, "example.com:80": false,
		"localhost.example.com:80": false, "8080": false,
	} {
		if err := auth.CheckListen(address); (err == nil) != ok {
			t.Errorf("CheckListen(%q) = %v, want ok %t", address, err, ok)
		}
	}
}

func TestLocalAnswersOnlyItsOwnMachine(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		remote, host, forwarded string
		want                    int
	}{
		"loopback":                   {"127.0.0.1:5", "127.0.0.1:8080", "", http.StatusOK},
		"localhost":                  {"[::1]:5", "localhost:8080", "", http.StatusOK},
		"the name without a port":    {"127.0.0.1:5", "localhost", "", http.StatusOK},
		"an IPv6 name":               {"[::1]:5", "[::1]:8080", "", http.StatusOK},
		"another machine":            {"192.0.2.7:5", "127.0.0.1:8080", "", http.StatusForbidden},
		"a rebound name":             {"127.0.0.1:5", "evil.example:8080", "", http.StatusForbidden},
		"a name that looks like one": {"127.0.0.1:5", "127.0.0.1.evil.example", "", http.StatusForbidden},
		"no name":                    {"127.0.0.1:5", "", "", http.StatusForbidden},
		"through a proxy":            {"127.0.0.1:5", "localhost", "192.0.2.7", http.StatusForbidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var who string
			h := auth.Local(slog.New(slog.DiscardHandler), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				who = auth.Principal(r.Context()).ID
			}))
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", http.NoBody)
			r.RemoteAddr, r.Host = tt.remote, tt.host
			if tt.forwarded != "" {
				r.Header.Set("X-Forwarded-For", tt.forwarded)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("got status %d, want %d", w.Code, tt.want)
			}
			if reached := who == "development"; reached != (tt.want == http.StatusOK) {
				t.Errorf("the handler saw principal %q", who)
			}
			if w.Header().Get(auth.Header) == "" {
				t.Error("the answer does not say that nobody signed in")
			}
		})
	}
}
