package feedtest

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"aftercare/deploy/faultproxy"
	"aftercare/deploy/faultproxy/faultproxytest"
	"aftercare/domain"
	"aftercare/projections/feed"
)

// trial is a store, a feed from it through a proxy, and a publisher that reaches it past the proxy.
type trial struct {
	t      *testing.T
	remote Remote
	proxy  *faultproxy.Proxy
	log    *feed.Log
	topic  string
	run    uuid.UUID
	start  domain.Position // of the first event, which is no event of the topic

	mu   sync.Mutex // one append, or one restart
	next int        // number of the next event
}

func newTrial(t *testing.T, r Remote) *trial {
	t.Helper()
	u, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	p := faultproxytest.Listen(t, u.Host)
	u.Host = p.Addr()
	x := &trial{
		t: t, remote: r, proxy: p, run: uuid.New(),
		log: &feed.Log{URL: u.String() + faultSettings, Timeout: faultTimeout},
	}
	x.topic = "feedtest-" + x.run.String()
	t.Cleanup(x.log.Wait)
	x.start = x.append(x.topic+"-start", 0, "started", 1)
	return x
}

// publish writes the next n events of the topic.
func (x *trial) publish(n int) {
	x.t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.append(x.topic, x.next, x.topic+".happened.v1", n)
	x.next += n
}

// append writes events at a revision until the store says that they are there.
func (x *trial) append(stream string, from int, eventType string, n int) domain.Position {
	x.t.Helper()
	options := esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}
	if from > 0 {
		options.ExpectedRevision = esdb.Revision(uint64(from - 1))
	}
	events := make([]esdb.EventData, n)
	for i := range events {
		number := strconv.Itoa(from + i)
		events[i] = esdb.EventData{
			EventID: uuid.NewSHA1(x.run, []byte(stream+"/"+number)), EventType: eventType,
			ContentType: esdb.ContentTypeJson, Data: []byte(number),
		}
	}
	var err error
	for range 10 {
		var wrote *esdb.WriteResult
		if wrote, err = x.appendOnce(stream, options, events); err == nil {
			return domain.Position{Commit: wrote.CommitPosition, Prepare: wrote.PreparePosition}
		}
	}
	x.t.Errorf("append to %s: %v", stream, err)
	return domain.Position{}
}

func (x *trial) appendOnce(stream string, options esdb.AppendToStreamOptions, events []esdb.EventData) (*esdb.WriteResult, error) {
	config, err := esdb.ParseConnectionString(x.remote.URL)
	if err != nil {
		return nil, fmt.Errorf("read the store's url: %w", err)
	}
	config.Logger = esdb.NoopLogging()
	client, err := esdb.NewClient(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	defer client.Close() //nolint:errcheck // it returns nil
	return client.AppendToStream(context.Background(), stream, options, events...)
}

func (x *trial) restart() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.remote.Restart()
}
