package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"

	"aftercare/deploy/eventnode"
)

// stores are the event store and the database, wherever they are.
type stores struct {
	eventStoreURL string
	postgresURL   string
	// api is the address of a running instance's API, if they are its stores.
	api string
	// owned reports that this process has the data directory; no other keeps the views up to date then.
	owned bool
	stop  []func() error
}

// close stops what open started, in reverse.
func (s *stores) close() error {
	var all []error
	for _, stop := range slices.Backward(s.stop) {
		all = append(all, stop())
	}
	s.stop = nil
	return errors.Join(all...)
}

// find returns the stores: those named, else those of the instance running on the data directory, else the embedded ones,
// started for as long as this process runs.
func (c *config) find(ctx context.Context) (*stores, error) {
	if c.EventStoreURL != "" && c.PostgresURL != "" {
		return &stores{eventStoreURL: c.EventStoreURL, postgresURL: c.PostgresURL}, nil
	}
	i, err := c.running()
	if err != nil {
		return nil, err
	}
	if i != nil {
		return &stores{eventStoreURL: or(c.EventStoreURL, i.EventStoreURL), postgresURL: or(c.PostgresURL, i.PostgresURL), api: i.API}, nil
	}
	return c.start(ctx)
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// start starts the embedded stores that no address was given for. The data directory is this process's until close.
func (c *config) start(ctx context.Context) (_ *stores, err error) {
	release, err := c.lock()
	if errors.Is(err, errBusy) {
		return nil, fmt.Errorf("%w: %s", err, c.DataDir)
	}
	if err != nil {
		return nil, err
	}
	s := &stores{eventStoreURL: c.EventStoreURL, postgresURL: c.PostgresURL, owned: true}
	s.stop = append(s.stop, func() error { release(); return nil })
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.eventStoreURL == "" {
		if s.eventStoreURL, err = c.startNode(s); err != nil { //nolint:contextcheck // it runs until it is stopped
			return nil, err
		}
	}
	if s.postgresURL == "" {
		if s.postgresURL, err = c.startPostgres(ctx, s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (c *config) startNode(s *stores) (string, error) {
	listen, err := free(c.NodeListen, c.NodeListen == defaultNodeListen)
	if err != nil {
		return "", fmt.Errorf("event node: %w", err)
	}
	node, err := eventnode.Open(eventnode.Options{Dir: c.path("events"), Listen: listen, Logger: c.logger})
	if err != nil {
		return "", fmt.Errorf("event node: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- node.Run(ctx) }()
	s.stop = append(s.stop, func() error {
		cancel()
		return errors.Join(<-done, node.Close())
	})
	return node.URL(), nil
}

// free returns the address, or, where another program has it and that is acceptable, one with a free port.
func free(address string, another bool) (string, error) {
	l, err := net.Listen("tcp", address) //nolint:noctx // it is closed at once
	if err == nil {
		return address, l.Close()
	}
	var e *os.SyscallError
	if !another || !errors.As(err, &e) || !errors.Is(e.Err, syscall.EADDRINUSE) {
		return "", err
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(host, "0"), nil
}
