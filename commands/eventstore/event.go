package eventstore

import (
	"errors"
	"io"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// collect receives a page. A stream that does not exist has none.
func collect(events *esdb.ReadStream) ([]codec.Raw, error) {
	var page []codec.Raw
	for {
		e, err := events.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return page, nil
		case hasCode(err, esdb.ErrorCodeResourceNotFound):
			return nil, nil
		case err != nil:
			return nil, err
		}
		if e.Event != nil { // nil is a link whose target is gone
			page = append(page, raw(e.Event))
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
