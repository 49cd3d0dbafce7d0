package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/jackc/pgx/v5"

	"aftercare/domain"
	"aftercare/projections"
	"aftercare/projections/archive"
	"aftercare/projections/bench/summary"
	"aftercare/projections/fold"
)

// summaryStore and summarySample are ours with the view that other libraries get: from the store, over the whole log, and over their sample.
const (
	summaryStore  = "summary: store"
	summarySample = "sample"
)

// peerNames are what the program of package peers calls the libraries.
func peerNames() []string { return []string{"goes", "eventsourcing", "watermill-sql"} }

// summaryView is the view that other libraries get.
func summaryView() projections.View {
	return &fold.View[summary.Row]{
		ID: "summary", Table: "summary", Create: summary.Table, Index: summary.Index, Types: summary.Types(), Columns: summary.Columns(),
		Fields: (*summary.Row).Fields,
		Fold: func(rows []summary.Row, e domain.Recorded) ([]summary.Row, error) {
			if len(rows) == 0 {
				rows = append(rows, summary.Row{Stream: e.Stream})
			}
			rows[0].Apply(e.Event)
			return rows, nil
		},
	}
}

// peers gives other libraries the events, and makes the rows of ours that theirs are compared with.
func (b *bench) peers(ctx context.Context) ([]string, error) {
	if b.options.peers == "" {
		return nil, nil
	}
	events, err := b.sample(ctx)
	if err != nil {
		return nil, fmt.Errorf("prepare the sample: %w", err)
	}
	for _, name := range peerNames() {
		b.progress("giving %d events to %s", b.options.sample, name)
		if _, err := b.peer(ctx, name, "--import", events); err != nil {
			return nil, err
		}
	}
	return peerNames(), nil
}

// sample writes the first events to a file, a line each, and folds them.
func (b *bench) sample(ctx context.Context) (path string, err error) {
	path = filepath.Join(b.dir, "sample.ndjson")
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	lines, bulk, events := json.NewEncoder(file), summaryView().Bulk(), 0
	for raw, err := range b.feed.Read(ctx, domain.Position{}) {
		if err != nil {
			return "", err
		}
		if err := lines.Encode(raw); err != nil {
			return "", err
		}
		e, err := b.codec.Decode(ctx, nil, raw)
		if err != nil {
			return "", err
		}
		if err := bulk.Add(e); err != nil {
			return "", err
		}
		if events++; events == b.options.sample {
			break
		}
	}
	err = pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
		for _, statement := range []string{"create schema ours_sample", "set local search_path to ours_sample", summary.Table} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return bulk.Copy(ctx, tx)
	})
	if err != nil {
		return "", err
	}
	return path, b.compare(ctx, contender{name: summarySample, schemas: []string{"ours_sample"}})
}

// onePeer measures a library in a round, and compares its rows in the first.
func (b *bench) onePeer(ctx context.Context, r *report, name string, round int) error {
	b.progress("round %d of %d: %s", round+1, b.options.rounds, name)
	rate, err := b.peer(ctx, name)
	if err != nil {
		return err
	}
	r.add(name, rate)
	if round > 0 {
		return nil
	}
	return b.compare(ctx, contender{name: name, schemas: []string{name + "_sample"}})
}

// peer runs the program of package peers, which prints its events per second.
func (b *bench) peer(ctx context.Context, name string, more ...string) (float64, error) {
	args := append([]string{"--peer", name, "--postgres", b.pgURL}, more...)
	cmd := exec.CommandContext(ctx, b.options.peers, args...) //nolint:gosec // G204: the operator names it
	cmd.Stderr = b.log
	answer, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	rate, err := strconv.ParseFloat(string(answer), 64)
	if err != nil {
		return 0, fmt.Errorf("%s answered %q: %w", name, answer, err)
	}
	return rate, nil
}

// summarized rebuilds the small view.
func (b *bench) summarized(ctx context.Context, a *archive.Archive) (int, error) {
	report, err := b.rebuilder(a).Rebuild(ctx, summaryView())
	return report.Events, err
}
