package feedtest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"
	"github.com/google/uuid"

	"aftercare/domain/codec"
	"aftercare/projections/feed"
	"aftercare/projections/feed/feedtest"
)

// publisher is what Watermill's suite needs besides a subscriber: it writes messages as events of the type "<topic>.message".
type publisher struct {
	client *esdb.Client
	closed atomic.Bool
}

func (p *publisher) Publish(topic string, messages ...*message.Message) error {
	if p.closed.Load() {
		return errors.New("closed")
	}
	events := make([]esdb.EventData, 0, len(messages))
	for _, m := range messages {
		metadata, err := json.Marshal(m.Metadata)
		if err != nil {
			return err
		}
		events = append(events, esdb.EventData{
			EventID: uuid.MustParse(m.UUID), EventType: topic + ".message", ContentType: esdb.ContentTypeBinary,
			Data: m.Payload, Metadata: metadata,
		})
	}
	if len(messages) == 0 {
		return nil
	}
	_, err := p.client.AppendToStream(messages[0].Context(), topic+"-1", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, events...)
	return err
}

func (p *publisher) Close() error {
	if p.closed.Swap(true) {
		return nil
	}
	return p.client.Close()
}

func withMetadata(e codec.Raw) *message.Message {
	m := feed.NewMessage(e)
	var more map[string]string
	if err := json.Unmarshal(e.Metadata, &more); err != nil {
		panic(fmt.Sprintf("metadata of %s: %v", e.ID, err))
	}
	maps.Copy(m.Metadata, more)
	return m
}

// The suite leaves goroutines of its own behind, so it is not in the package of the feed, whose tests look for such.
func TestWatermillSuite(t *testing.T) {
	t.Parallel()
	store := feedtest.New(t)
	features := tests.Features{
		GuaranteedOrder:                  true,
		Persistent:                       true,
		NewSubscriberReceivesOldMessages: true,
	}
	pubsub := func(t *testing.T) (message.Publisher, message.Subscriber) {
		t.Helper()
		config, err := esdb.ParseConnectionString(store.Log().URL)
		if err != nil {
			t.Fatal(err)
		}
		config.Logger = esdb.NoopLogging()
		client, err := esdb.NewClient(config)
		if err != nil {
			t.Fatal(err)
		}
		return &publisher{client: client}, feed.NewSubscriber(store.Log(), feed.Options{Unmarshal: withMetadata})
	}
	tests.TestPubSub(t, features, pubsub, nil)
}
