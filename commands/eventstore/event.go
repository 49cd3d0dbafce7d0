package eventstore

import (
	"errors"
	"io"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// page is a part of a stream. When there may be more, that begins at the revision next.
type page struct {
	events []codec.Raw
	more   bool
	next   uint64
}

// collect receives a page. A stream that does not exist has an empty one.
func collect(events *esdb.ReadStream) (page, error) {
	var p page
	for count, size := 1, 0; ; count++ {
		e, err := events.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return p, nil
		case hasCode(err, esdb.ErrorCodeResourceNotFound):
			return page{}, nil
		case err != nil:
			return page{}, err
		}
		if e.Event != nil { // nil is a link whose target is gone
			p.events = append(p.events, raw(e.Event))
			size += len(e.Event.Data) + len(e.Event.UserMetadata)
		}
		if count == pageEvents || size >= pageBytes {
			p.more, p.next = true, e.OriginalEvent().EventNumber+1
			return p, nil
		}
	}
}

func raw(e *esdb.RecordedEvent) codec.Raw {
	return codec.Raw{
		ID: domain.UUID(e.EventID), Stream: e.StreamID, Revision: e.EventNumber,
		Position:   position(e.Position),
		RecordedAt: e.CreatedDate.UTC(),
		Type:       e.EventType, Data: e.Data, Metadata: e.UserMetadata,
	}
}
