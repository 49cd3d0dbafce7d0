package main_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// receiver is what programs send their spans to. It keeps the names of the spans of one trace.
type receiver struct {
	*httptest.Server
	trace string

	mu    sync.Mutex
	names []string
}

func newReceiver(tb testing.TB, trace string) *receiver {
	tb.Helper()
	r := &receiver{trace: trace}
	r.Server = httptest.NewServer(r)
	tb.Cleanup(r.Close)
	return r
}

// ServeHTTP takes spans.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body := io.Reader(request.Body)
	if request.Header.Get("Content-Encoding") == "gzip" {
		plain, err := gzip.NewReader(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = plain
	}
	text, err := io.ReadAll(body)
	var sent collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(text, &sent)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, resource := range sent.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				if hex.EncodeToString(span.GetTraceId()) == r.trace {
					r.names = append(r.names, span.GetName())
				}
			}
		}
	}
}

// TestATraceGoesThroughTheProgram follows a mutation under a traceparent from the API to the views.
func TestATraceGoesThroughTheProgram(t *testing.T) {
	t.Parallel()
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	r := newReceiver(t, trace)
	p := newPlace(t)
	p.env = append(p.env, "OTEL_EXPORTER_OTLP_ENDPOINT="+r.URL, "OTEL_TRACES_EXPORTER=odd")
	a := p.up()
	body, err := json.Marshal(map[string]any{
		"query": `mutation { receiveTicket(input: {kind: "repair", title: "It hums"}) { ... on TicketChanged { id position } } }`,
	})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	var answered struct {
		Data struct{ ReceiveTicket struct{ ID, Position string } }
	}
	if err := json.NewDecoder(response.Body).Decode(&answered); err != nil {
		t.Fatal(err)
	}
	a.types(answered.Data.ReceiveTicket.ID, answered.Data.ReceiveTicket.Position) // waits for the timeline
	if code := a.interrupt(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.Sort(r.names)
	got := slices.Compact(r.names)
	for _, name := range []string{"mutation", "handle ticket", "append ticket", "project timeline", "project ticket"} {
		if !slices.Contains(got, name) {
			t.Errorf("no span %q in %q", name, got)
		}
	}
}
