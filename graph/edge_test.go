package graph_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aftercare/domain"
	"aftercare/graph"
)

// bare serves the API with no stores behind it: what it refuses, it refuses before asking any.
func bare(tb testing.TB, change ...func(*graph.Config)) *bench {
	tb.Helper()
	b := &bench{TB: tb}
	config := graph.Config{Now: func() time.Time { return noon }, NewID: func() domain.UUID { return domain.UUID{1} }}
	for _, f := range change {
		f(&config)
	}
	b.server = httptest.NewServer(graph.New(config))
	tb.Cleanup(b.server.Close)
	return b
}

func query(tb testing.TB, document string) []byte {
	tb.Helper()
	body, err := json.Marshal(map[string]string{"query": document})
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

func TestRequestsAreHeldAtTheEdge(t *testing.T) {
	t.Parallel()
	b := bare(t)
	json := "application/json"
	tests := map[string]struct {
		body   []byte
		header []string
		status int
		code   string
	}{
		"not JSON":           {[]byte("{secret"), nil, http.StatusBadRequest, "request.malformed"},
		"JSON but no object": {[]byte(`["query"]`), nil, http.StatusBadRequest, "request.malformed"},
		"no query":           {[]byte(`{"variables":{}}`), nil, http.StatusBadRequest, "request.malformed"},
		"a form":             {[]byte("query={viewer{principal}}"), []string{"Content-Type", "application/x-www-form-urlencoded"}, http.StatusUnsupportedMediaType, "request.content-type"},
		"an upload":          {[]byte("--x--"), []string{"Content-Type", "multipart/form-data; boundary=x"}, http.StatusUnsupportedMediaType, "request.content-type"},
		"too large":          {bytes.Repeat([]byte(" "), 256<<10+1), nil, http.StatusRequestEntityTooLarge, "request.too-large"},
		"a page of another origin": {
			query(t, "{viewer{principal}}"), []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, http.StatusForbidden, "",
		},
		"a broken document is 200 for application/json": {query(t, "{"), []string{"Accept", json}, http.StatusOK, "GRAPHQL_PARSE_FAILED"},
		"and 400 for application/graphql-response+json": {query(t, "{"), []string{"Accept", "application/graphql-response+json"}, http.StatusBadRequest, "GRAPHQL_PARSE_FAILED"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, got := b.in(t).post(tt.body, tt.header...)
			if status != tt.status {
				t.Errorf("got status %d, want %d: %s", status, tt.status, got)
			}
			if !bytes.Contains(got, []byte(tt.code)) {
				t.Errorf("got %s, want the code %s", got, tt.code)
			}
			if bytes.Contains(got, []byte("secret")) {
				t.Errorf("the body is echoed: %s", got)
			}
			if status >= 400 && bytes.Contains(got, []byte(`"data"`)) {
				t.Errorf("a failed request has data: %s", got)
			}
		})
	}
}

func TestGETIsNotServed(t *testing.T) {
	t.Parallel()
	b := bare(t)
	for path, want := range map[string]int{
		"/graphql?query={viewer{principal}}": http.StatusMethodNotAllowed, "/nothing": http.StatusNotFound, "/graphiql/": http.StatusOK,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.server.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := b.server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("GET %s: got %d, want %d", path, response.StatusCode, want)
		}
		h := response.Header
		if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") ||
			strings.Contains(h.Get("Content-Security-Policy"), "unsafe-eval") || h.Get("Cache-Control") != "no-store" {
			t.Errorf("GET %s: got headers %v", path, h)
		}
	}
}

func TestOperationsAreLimited(t *testing.T) {
	t.Parallel()
	b := bare(t)
	nested := func(levels int) string {
		var s strings.Builder
		s.WriteString("{...f0}")
		for i := range levels {
			fmt.Fprintf(&s, " fragment f%d on Query {...f%d ...f%d}", i, i+1, i+1)
		}
		fmt.Fprintf(&s, " fragment f%d on Query {tickets(first: 100) {nodes {id}}}", levels)
		return s.String()
	}
	tests := map[string]struct{ document, want string }{
		"tokens":                  {"{" + strings.Repeat("__typename ", 20_000) + "}", "exceeded token limit"},
		"nested fragments":        {nested(60), "cost"},
		"depth":                   {"{__schema{types{" + strings.Repeat("ofType{", 20) + "name" + strings.Repeat("}", 20) + "}}}", "depth"},
		"aliases":                 {"{" + aliases(31) + "}", "aliases"},
		"cost":                    {"{tickets(first: 100) {nodes {timeline(last: 100) {nodes {texts {name}}}}}}", "cost"},
		"nested introspection":    {"{__schema{types{fields{type{fields{type{fields{name}}}}}}}}", "introspection"},
		"deferred":                {"{... @defer {viewer {principal}}}", "directive.unsupported"},
		"a page beyond the limit": {"{tickets(first: 101) {nodes {id}}}", "page.size"},
		"both ends of a list":     {"{tickets(first: 1, last: 1) {nodes {id}}}", "page.first-and-last"},
		"too many nodes":          {`{nodes(ids: [` + strings.Repeat(`"x" `, 101) + `]) {id}}`, "nodes.too-many"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, got := b.in(t).post(query(t, tt.document))
			if !bytes.Contains(got, []byte(tt.want)) || !bytes.Contains(got, []byte(`"errors"`)) {
				t.Errorf("got %d %s, want a refusal about %s", status, got, tt.want)
			}
		})
	}
}

func aliases(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "a%d: viewer {principal} ", i)
	}
	return s.String()
}

// TestAMegabyteOfOneFieldIsRefusedAtOnce is the attack that stalls the library's own server for minutes.
func TestAMegabyteOfOneFieldIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	b := bare(t)
	status, _ := b.post(query(t, "{"+strings.Repeat("__typename ", 120_000)+"}"))
	if status != http.StatusRequestEntityTooLarge {
		t.Errorf("got status %d", status)
	}
}

func TestIntrospectionOfToolsIsWithinTheLimits(t *testing.T) {
	t.Parallel()
	b := bare(t)
	a := b.ask(introspection, nil)
	if len(a.Errors) > 0 || len(a.Data) < 10_000 {
		t.Errorf("got %d bytes and errors %+v", len(a.Data), a.Errors)
	}
}

// introspection is what GraphiQL asks.
const introspection = `query IntrospectionQuery { __schema { description queryType { name } mutationType { name } subscriptionType { name }
  types { ...FullType } directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
fragment FullType on __Type { kind name description specifiedByURL
  fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
  inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
  ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }`

func TestProblemsAreToldInTheLanguageOfTheClient(t *testing.T) {
	t.Parallel()
	b := bare(t)
	a := b.ask(`{tickets(first: 0) {nodes {id}}}`, nil, "Accept-Language", "zh-CN,zh;q=0.9")
	if len(a.Errors) != 1 || a.Errors[0].Message != "每页条数须在 1 到 100 之间。" || a.Errors[0].Extensions["code"] != "page.size" {
		t.Errorf("got %+v", a.Errors)
	}
}

func TestDevelopmentPrincipalIsAnnounced(t *testing.T) {
	t.Parallel()
	b := bare(t)
	a := b.ask(`{viewer {principal development roles}}`, nil)
	if got := string(a.Data); got != `{"viewer":{"principal":"development","development":true,"roles":["development"]}}` {
		t.Errorf("got %s", got)
	}
}
