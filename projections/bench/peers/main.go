// Command peers runs one projection with another library, over events that the library keeps in its own tables in Postgres: the same
// events, the same fold, the same rows as ours in package bench, which starts it. It prints events per second on its standard output.
//
// It is a module of its own, so that the product does not depend on other libraries. Each is used as its documentation shows. Where
// a library leaves open how rows are written, they are kept in memory and written by one COPY at the end, which is as fast as can be.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercare/domain"
	"aftercare/domain/catalog"
	"aftercare/domain/codec"
	"aftercare/projections/bench/summary"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// peer is a library.
type peer interface {
	// store gives it the events, in order.
	store(ctx context.Context, events []codec.Raw) error
	// project folds all events and returns when the rows are in the table summary of the schema, and how many events there were.
	project(ctx context.Context, schema string) (events int, err error)
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	name := flags.String("peer", "", "goes, eventsourcing or watermill-sql")
	database := flags.String("postgres", "", "URL of Postgres")
	file := flags.String("import", "", "give it the events of this file, a line each, and do nothing else")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pool, err := open(ctx, *database, *name)
	if err != nil {
		return err
	}
	defer pool.Close()
	var p peer
	switch *name {
	case "goes":
		p, err = newGoes(pool)
	case "eventsourcing":
		p, err = newEventsourcing(pool)
	case "watermill-sql":
		p = watermillSQL{pool}
	default:
		err = fmt.Errorf("no peer %q", *name)
	}
	if err != nil {
		return err
	}
	if *file != "" {
		events, err := read(*file)
		if err != nil {
			return err
		}
		_, err = fmt.Print(0)
		return errors.Join(err, p.store(ctx, events))
	}
	schema := *name + "_sample"
	if _, err := pool.Exec(ctx, fmt.Sprintf(`drop schema if exists %q cascade; create schema %q; set search_path to %q; %s; reset search_path`,
		schema, schema, schema, summary.Table)); err != nil {
		return err
	}
	began := time.Now()
	events, err := p.project(ctx, schema)
	if err != nil {
		return err
	}
	_, err = fmt.Print(float64(events) / time.Since(began).Seconds())
	return err
}

// open returns connections to a schema that only this peer uses. What is imported need not wait for the disk.
func open(ctx context.Context, database, name string) (*pgxpool.Pool, error) {
	u, err := url.Parse(database)
	if err != nil {
		return nil, err
	}
	q := u.Query()
	q.Set("search_path", `"`+name+`"`)
	u.RawQuery = q.Encode()
	pool, err := pgxpool.New(ctx, u.String())
	if err != nil {
		return nil, err
	}
	_, err = pool.Exec(ctx, fmt.Sprintf("create schema if not exists %q", name))
	return pool, err
}

func read(path string) (all []codec.Raw, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	for lines := json.NewDecoder(bufio.NewReader(file)); lines.More(); {
		var e codec.Raw
		if err := lines.Decode(&e); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

var known = catalog.Codec()

// decode reads a payload, with the reader of the product.
func decode(name string, data []byte) (domain.Event, error) {
	r, _, err := known.DecodeSealed(codec.Raw{Type: name, Data: data, Metadata: []byte("{}")})
	return r.Event, err
}

// rows are the rows by stream.
type rows map[string]*summary.Row

func (r rows) apply(stream string, e domain.Event) {
	row := r[stream]
	if row == nil {
		row = &summary.Row{Stream: stream}
		r[stream] = row
	}
	row.Apply(e)
}

// write writes all rows by one COPY, and makes the index that ours has.
func (r rows) write(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	all := make([]*summary.Row, 0, len(r))
	for _, row := range r {
		all = append(all, row)
	}
	_, err := pool.CopyFrom(ctx, pgx.Identifier{schema, "summary"}, summary.Columns(), pgx.CopyFromSlice(len(all), func(i int) ([]any, error) {
		return all[i].Fields(), nil
	}))
	if err != nil {
		return err
	}
	_, err = pool.Exec(ctx, indexOf(schema))
	return err
}

// indexOf returns the statement that makes the index in a schema.
func indexOf(schema string) string {
	return fmt.Sprintf("set search_path to %q; %s; reset search_path", schema, summary.Index)
}
