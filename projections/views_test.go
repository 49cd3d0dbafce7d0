package projections_test

import (
	"context"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"aftercare/domain"
	"aftercare/domain/catalog"
	"aftercare/domain/seal"
	"aftercare/projections"
	"aftercare/projections/satisfaction"
	"aftercare/projections/sla"
	"aftercare/projections/ticket"
	"aftercare/projections/timeline"
	"aftercare/projections/viewtest"
)

// open keeps texts as they are: what they say passes through the log and back.
type open struct{}

func (open) Seal(_ context.Context, _ seal.Subject, plain, _ []byte) ([]byte, error) {
	return plain, nil
}

func (open) Open(_ context.Context, _ seal.Subject, sealed, _ []byte) ([]byte, error) {
	return sealed, nil
}

// TestOurViewsAreTheSameLiveAndRebuilt runs drawn histories through the log, the runner and a rebuild.
func TestOurViewsAreTheSameLiveAndRebuilt(t *testing.T) {
	t.Parallel()
	b := newBench(t, ticket.View(), timeline.View(), sla.View(), satisfaction.View())
	names := []string{"ticket", "timeline", "sla", "satisfaction"}
	runner := b.runner()
	runner.Codec, runner.Opener, runner.Most = catalog.Codec(), open{}, 37
	b.start(runner)

	var at domain.Position
	drawn := rapid.Custom(viewtest.Batches)
	for seed := range byte(20) {
		for _, batch := range drawn.Example(int(seed)) {
			for _, r := range batch {
				id, stream := uuid.New(), "ticket-"+domain.DeriveUUID(domain.UUID{seed}, r.Stream).String()
				e, err := catalog.Codec().Encode(t.Context(), open{}, stream, domain.UUID(id), r.Event, r.Metadata)
				if err != nil {
					t.Fatal(err)
				}
				at = b.store.Append(stream, esdb.EventData{
					EventID: id, EventType: e.Type, ContentType: esdb.ContentTypeJson, Data: e.Data, Metadata: e.Metadata,
				})
			}
		}
	}
	b.wait(at, names...)
	live := make(map[string]map[string]projections.Print)
	for _, name := range names {
		live[name] = b.prints(name)
		for table, p := range live[name] {
			if p.Rows == 0 {
				t.Errorf("view %s: no rows in %s", name, table)
			}
		}
	}
	rebuilder := b.rebuilder()
	rebuilder.Codec, rebuilder.Opener, rebuilder.Partitions = catalog.Codec(), open{}, 3
	if _, err := rebuilder.Rebuild(t.Context(), b.views...); err != nil {
		t.Fatal(err)
	}
	rebuilt := make(map[string]map[string]projections.Print)
	for _, name := range names {
		rebuilt[name] = b.prints(name)
	}
	if diff := cmp.Diff(live, rebuilt); diff != "" {
		t.Errorf("-live +rebuilt:\n%s", diff)
	}
	type parking struct{ View, Type, Error string }
	parked := query[parking](b, `select view, type, error from aftercare.parked_event where attempts > 0 limit 5`)
	if len(parked) > 0 {
		t.Errorf("got parked events such as %+v, want none", parked)
	}
}
