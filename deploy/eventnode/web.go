package eventnode

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"aftercare/deploy/eventnode/storage"
)

// admin is the user that may do more than read and write.
const admin = "admin"

// unready is how long a failed write makes the node not ready, unless a later one succeeds. Nobody appends to a node
// that is not ready, so it has to be given another chance.
const unready = 10 * time.Second

// newWeb returns the server of the node's HTTP pages.
func newWeb(n *Node) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health/live", live)
	mux.HandleFunc("GET /health/ready", n.ready)
	mux.Handle("GET /metrics", n.usersOnly(promhttp.HandlerFor(n.metrics.registry, promhttp.HandlerOpts{
		MaxRequestsInFlight: 4, EnableOpenMetrics: true,
	})))
	mux.Handle("POST /admin/scavenge", n.adminOnly(http.HandlerFunc(n.scavenge)))
	return &http.Server{
		Handler:           http.NewCrossOriginProtection().Handler(mux), // no web page may post in a browser's name
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(n.opts.Logger.Handler(), slog.LevelDebug),
	}
}

// live answers 204 while the process serves, or what the caller wishes to hear, as a real server does.
func live(w http.ResponseWriter, r *http.Request) {
	status := http.StatusNoContent
	if code, err := strconv.Atoi(r.URL.Query().Get("liveCode")); err == nil && code >= 200 && code <= 599 {
		status = code
	}
	w.WriteHeader(status)
}

// scavenge frees the space of what no reader of a stream can see any more. It answers when that is done, and gives up
// when the caller does.
func (n *Node) scavenge(w http.ResponseWriter, r *http.Request) {
	c := http.NewResponseController(w)
	if err := errors.Join(c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{})); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	done, err := n.store.Scavenge(r.Context())
	switch {
	case errors.Is(err, storage.ErrScavenging), errors.Is(err, storage.ErrInMemory):
		http.Error(w, err.Error(), http.StatusConflict)
	case err != nil:
		n.opts.Logger.ErrorContext(r.Context(), "scavenge failed, nothing that can be read is gone", "error", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(done) // the caller may be gone
	}
}

// ready answers 204 when the node takes appends, else 503 with the reason.
func (n *Node) ready(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if reason := n.notReady(); reason != "" {
		http.Error(w, reason, http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// notReady says why the node takes no appends, or nothing.
func (n *Node) notReady() string {
	select {
	case <-n.stopping:
		return "stopping"
	default:
	}
	if err := n.store.IndexDamage(); err != nil {
		return err.Error()
	}
	f := n.metrics.writer.failing.Load()
	if f == nil || n.opts.Now().Sub(f.at) >= unready {
		return ""
	}
	return fmt.Sprintf("the last write to the log failed: %v", f.err)
}
