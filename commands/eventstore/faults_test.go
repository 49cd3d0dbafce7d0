package eventstore_test

import (
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"aftercare/commands"
	"aftercare/commands/eventstore"
	"aftercare/commands/logtest"
)

// The times of the fault suite. gRPC pings no more often than every 10 s, whatever an address says.
const (
	faultTimeout  = time.Second
	faultRetry    = 500 * time.Millisecond
	faultSilence  = 10*time.Second + 500*time.Millisecond + faultTimeout
	faultSettings = "&gossipTimeout=1&keepAliveInterval=10000&keepAliveTimeout=500"
)

// remote is a store at a URL as the fault suite sees it.
func remote(t *testing.T, storeURL string) logtest.Remote {
	t.Helper()
	u, err := url.Parse(storeURL)
	if err != nil {
		t.Fatal(err)
	}
	return logtest.Remote{
		Addr: u.Host,
		Open: func(t *testing.T, addr string) (commands.Log, func()) {
			t.Helper()
			behind := *u
			behind.Host = addr
			log := openLog(t, behind.String()+faultSettings, logtest.Codec(), eventstore.Options{
				OperationTimeout: faultTimeout, RetryFor: faultRetry, MaxConnections: 6,
			})
			return log, func() {
				if err := log.Close(); err != nil {
					t.Error(err)
				}
			}
		},
		Call: faultTimeout + faultRetry, Connections: 6, Silence: faultSilence,
	}
}

func TestFaultsBeforeTheEmbeddedNode(t *testing.T) {
	t.Parallel()
	logtest.RunFaults(t, func(t *testing.T) logtest.Remote {
		t.Helper()
		n := newNode(t)
		r := remote(t, n.url)
		r.Restart = func(t *testing.T) string {
			t.Helper()
			n.stop()
			n.start(t)
			return n.options.Listen
		}
		return r
	})
}

func TestFaultsBeforeARealServer(t *testing.T) {
	t.Parallel()
	storeURL := os.Getenv("AFTERCARE_TEST_EVENTSTORE_URL")
	if storeURL == "" {
		t.Skip("AFTERCARE_TEST_EVENTSTORE_URL names no server")
	}
	if !strings.HasPrefix(storeURL, "esdb://") || strings.Contains(storeURL, ",") {
		t.Skip("a client of a cluster goes where gossip says, past the proxy")
	}
	logtest.RunFaults(t, func(t *testing.T) logtest.Remote { t.Helper(); return remote(t, storeURL) })
}
