package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// config is everything that can be set: defaults, then environment, then flags. Its zero value runs after flags().
type config struct {
	DataDir       string
	EventStoreURL string
	PostgresURL   string
	Listen        string
	NodeListen    string
	MetricsListen string
	LogLevel      string

	level  slog.Level
	logger *slog.Logger
	now    func() time.Time
	out    io.Writer
	env    func(string) string
}

func defaultDataDir() string {
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "aftercare")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "share", "aftercare")
	}
	return "aftercare-data"
}

// Addresses that are tried first; when another program has them and the user did not name them, a free port is taken.
const (
	defaultListen     = "127.0.0.1:8080"
	defaultNodeListen = "127.0.0.1:2113"
)

func (c *config) flags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "data", Usage: "the `FOLDER` of the embedded stores and keys", Value: defaultDataDir(), Destination: &c.DataDir, Sources: cli.EnvVars("AFTERCARE_DATA")},
		&cli.StringFlag{Name: "eventstore-url", Usage: "an EventStoreDB or KurrentDB to use instead of the embedded node (esdb://, esdb+discover://)", Destination: &c.EventStoreURL, Sources: cli.EnvVars("AFTERCARE_EVENTSTORE_URL")},
		&cli.StringFlag{Name: "postgres-url", Usage: "a Postgres 15+ to use instead of the private one (postgres://)", Destination: &c.PostgresURL, Sources: cli.EnvVars("AFTERCARE_POSTGRES_URL")},
		&cli.StringFlag{Name: "listen", Usage: "`HOST:PORT` of the API", Value: defaultListen, Destination: &c.Listen, Sources: cli.EnvVars("AFTERCARE_LISTEN")},
		&cli.StringFlag{Name: "node-listen", Usage: "`HOST:PORT` of the embedded event node", Value: defaultNodeListen, Destination: &c.NodeListen, Sources: cli.EnvVars("AFTERCARE_NODE_LISTEN")},
		&cli.StringFlag{Name: "metrics-listen", Usage: "`HOST:PORT` of figures for Prometheus and of health, besides the API; they name no person and whoever can reach the address may read them", Destination: &c.MetricsListen, Sources: cli.EnvVars("AFTERCARE_METRICS_LISTEN")},
		&cli.StringFlag{Name: "log", Usage: "least `LEVEL` of the log on standard error: debug, info, warn, error", Value: "warn", Destination: &c.LogLevel, Sources: cli.EnvVars("AFTERCARE_LOG")},
	}
}

// Validate reports all problems at once.
func (c *config) Validate() error {
	var problems []error
	if err := c.level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		problems = append(problems, fmt.Errorf("--log: %q is not debug, info, warn or error", c.LogLevel))
	}
	if c.DataDir == "" {
		problems = append(problems, errors.New("--data: must not be empty"))
	}
	check := func(flag, value string, schemes ...string) {
		if value == "" {
			return
		}
		u, err := url.Parse(value)
		if err != nil || u.Host == "" {
			problems = append(problems, fmt.Errorf("%s: not an address", flag))
			return
		}
		if slices.Contains(schemes, u.Scheme) {
			return
		}
		problems = append(problems, fmt.Errorf("%s: the scheme must be one of %s", flag, strings.Join(schemes, ", ")))
	}
	check("--eventstore-url", c.EventStoreURL, "esdb", "esdb+discover")
	check("--postgres-url", c.PostgresURL, "postgres", "postgresql")
	for _, l := range []struct{ flag, value string }{
		{"--listen", c.Listen}, {"--node-listen", c.NodeListen}, {"--metrics-listen", or(c.MetricsListen, defaultListen)},
	} {
		if _, _, err := net.SplitHostPort(l.value); err != nil {
			problems = append(problems, fmt.Errorf("%s: %q is not HOST:PORT", l.flag, l.value))
		}
	}
	return errors.Join(problems...)
}

// path returns a place in the data directory.
func (c *config) path(name string) string { return filepath.Join(c.DataDir, name) }
