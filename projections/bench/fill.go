package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"aftercare/domain"
	"aftercare/domain/catalog"
	"aftercare/domain/codec"
	"aftercare/domain/seal"
)

// fillers is how many cases are written at once.
const fillers = 32

// fill writes histories of cases to a store until it has so many events. It returns how many streams they are in.
func fill(ctx context.Context, url string, events int, sealer seal.Sealer, progress func(events int)) (streams int, err error) {
	config, err := esdb.ParseConnectionString(url)
	if err != nil {
		return 0, err
	}
	config.Logger = esdb.NoopLogging()
	client, err := esdb.NewClient(config)
	if err != nil {
		return 0, err
	}
	defer client.Close() //nolint:errcheck // it returns nil
	type task struct{ number, events int }
	tasks := make(chan task)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(tasks)
		m := newMaker()
		for left := events; left > 0; streams++ {
			t := task{streams, min(left, m.length(streams))}
			left -= t.events
			select {
			case tasks <- t:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	var written atomic.Int64
	for range fillers {
		group.Go(func() error {
			m, c := newMaker(), catalog.Codec()
			for t := range tasks {
				stream, history := m.history(t.number)
				data, err := encode(ctx, c, sealer, stream, t.number, history[:t.events])
				if err != nil {
					return err
				}
				if _, err := client.AppendToStream(ctx, stream, esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}, data...); err != nil {
					return fmt.Errorf("append to %s: %w", stream, err)
				}
				progress(int(written.Add(int64(t.events))))
			}
			return nil
		})
	}
	return streams, group.Wait()
}

// encode returns events as the importers of the product store them: one command an event.
func encode(ctx context.Context, c *codec.Codec, sealer seal.Sealer, stream string, number int, history []domain.Event) ([]esdb.EventData, error) {
	data := make([]esdb.EventData, len(history))
	for i, e := range history {
		id := idOf(fmt.Sprintf("event %d", i), number)
		encoded, err := c.Encode(ctx, sealer, stream, id, e, domain.Metadata{
			CommandID: idOf(fmt.Sprintf("command %d", i), number), CommandHash: "82f234d31b0a554429c97707b6df0bd1",
			Principal: domain.Principal{ID: "import:uci-incidents", Roles: []string{"importer"}}, Channel: "import",
		})
		if err != nil {
			return nil, err
		}
		data[i] = esdb.EventData{
			EventID: uuid.UUID(id), EventType: encoded.Type, ContentType: esdb.ContentTypeJson, Data: encoded.Data, Metadata: encoded.Metadata,
		}
	}
	return data, nil
}
