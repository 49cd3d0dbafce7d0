package graphiql_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"aftercare/graph/graphiql"
)

var link = regexp.MustCompile(`(?:src|href)="([^"]+)"`)

func TestThePageNeedsNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	page := get(t, "/").Body.String()
	links := link.FindAllStringSubmatch(page, -1)
	if len(links) < 6 {
		t.Fatalf("found only %d links: the search is broken", len(links))
	}
	for _, l := range links {
		path, own := strings.CutPrefix(l[1], "/graphiql")
		if !own && l[1] != "data:," {
			t.Errorf("the page loads %s", l[1])
		}
		if own && get(t, path).Body.Len() == 0 {
			t.Errorf("%s is empty", l[1])
		}
	}
	if strings.Contains(page, "<script>") || strings.Contains(page, "onload") {
		t.Error("the page has scripts within, which its policy forbids")
	}
}

func TestThePolicyForbidsEval(t *testing.T) {
	t.Parallel()
	policy := get(t, "/").Header().Get("Content-Security-Policy")
	if strings.Contains(policy, "unsafe-eval") || !strings.Contains(policy, "script-src 'self';") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("got %s", policy)
	}
}

func get(tb testing.TB, path string) *httptest.ResponseRecorder {
	tb.Helper()
	w := httptest.NewRecorder()
	graphiql.Handler().ServeHTTP(w, httptest.NewRequestWithContext(tb.Context(), http.MethodGet, path, http.NoBody))
	if w.Code != http.StatusOK {
		tb.Errorf("GET %s: got status %d", path, w.Code)
	}
	return w
}
