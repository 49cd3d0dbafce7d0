package main

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"aftercare/projections/observe"
)

const (
	// stuck is how long a view may be behind and not move before the process is not ready.
	stuck = 30 * time.Second
	// healthWait bounds how long the stores may take to answer a question for health.
	healthWait = 5 * time.Second
	// scrapes is how many may be under way at once: each asks the stores.
	scrapes = 4
)

// figures is everything that is told to Prometheus.
type figures struct {
	*prometheus.Registry
	views *observe.Figures
}

func newFigures(state *observe.State) figures {
	f := figures{prometheus.NewRegistry(), observe.NewFigures(viewNames()...)}
	f.MustRegister(f.views, state, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return f
}

// monitor answers /metrics, for Prometheus, and /health/live and /health/ready, for whoever keeps the process running. What it tells
// names no person and no case.
func (a *app) monitor() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.figures, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(a.logger.Handler(), slog.LevelWarn), ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: scrapes,
	}))
	mux.HandleFunc("GET /health/live", func(w http.ResponseWriter, _ *http.Request) { sayHealth(w, http.StatusOK, "live") })
	mux.HandleFunc("GET /health/ready", a.ready)
	return mux
}

// ready answers 200 when the stores can be read and no view of the program is missing or stuck, and else 503 with the reasons.
func (a *app) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), healthWait)
	defer cancel()
	if err := a.tracker.Health(ctx, stuck, viewNames()...); err != nil {
		sayHealth(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	sayHealth(w, http.StatusOK, "ready")
}

func sayHealth(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(strings.TrimSpace(text) + "\n")) // fails when nobody listens any more
}
