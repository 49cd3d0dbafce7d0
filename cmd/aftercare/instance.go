package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// instance is what a running "aftercare up" tells the other subcommands. The file holds a password: only its owner may
// read it.
type instance struct {
	PID           int    `json:"pid"`
	API           string `json:"api,omitempty"`
	EventStoreURL string `json:"eventStoreUrl"`
	PostgresURL   string `json:"postgresUrl"`
}

const (
	instanceFile = "instance.json"
	lockFile     = "instance.lock"
)

// errBusy says that another process owns the data directory.
var errBusy = errors.New("another aftercare runs on this data directory")

// lock takes the data directory for this process until release is called or the process ends. It returns errBusy when another
// process has it.
func (c *config) lock() (release func(), err error) {
	if err := os.MkdirAll(c.DataDir, 0o755); err != nil { //nolint:gosec // the database's own user must reach its folder inside
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	f, err := os.OpenFile(c.path(lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock of data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errBusy
		}
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	return func() { _ = f.Close() }, nil
}

// announce tells the other subcommands where this instance is, until withdraw is called.
func (c *config) announce(i instance) (withdraw func(), err error) {
	text, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	name := c.path(instanceFile)
	temp := name + ".new"
	if err := os.WriteFile(temp, text, 0o600); err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	if err := os.Rename(temp, name); err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	return func() { _ = os.Remove(name) }, nil
}

// running returns the instance on the data directory, or nil when there is none.
func (c *config) running() (*instance, error) {
	text, err := os.ReadFile(filepath.Clean(c.path(instanceFile)))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // none is an answer, not an error
	}
	if err != nil {
		return nil, fmt.Errorf("find running instance: %w", err)
	}
	release, err := c.lock()
	if err == nil {
		release()       // the file is what a killed instance left
		return nil, nil //nolint:nilnil // as above
	}
	if !errors.Is(err, errBusy) {
		return nil, err
	}
	var i instance
	if err := json.Unmarshal(text, &i); err != nil {
		return nil, fmt.Errorf("find running instance: %w", err)
	}
	return &i, nil
}
