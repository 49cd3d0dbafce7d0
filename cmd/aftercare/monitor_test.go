package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// get fetches what a process serves besides GraphQL.
func get(tb testing.TB, url string) (status int, body string) {
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		tb.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// series returns the names that a page of figures has, with those that a histogram is made of.
func series(tb testing.TB, page string) map[string]bool {
	tb.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(page))
	if err != nil {
		tb.Fatal(err)
	}
	names := make(map[string]bool)
	for name, family := range families {
		names[name] = true
		if family.GetMetric()[0].GetHistogram() != nil {
			names[name+"_bucket"], names[name+"_sum"], names[name+"_count"] = true, true, true
		}
	}
	return names
}

func TestTheProgramTellsFiguresAndHealth(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.env = append(p.env, "AFTERCARE_METRICS_LISTEN=127.0.0.1:0")
	a := p.up()
	figures := a.says(`Figures +(http://\S+)/metrics`)
	opened := a.done("receiveTicket", map[string]any{"kind": "repair", "title": "It hums"})
	a.types(opened.ID, opened.Position) // waits for the view
	for _, base := range []string{figures, strings.TrimSuffix(a.url, "/graphql")} {
		if status, body := get(t, base+"/health/live"); status != http.StatusOK {
			t.Errorf("live: %d %s", status, body)
		}
		if status, body := get(t, base+"/health/ready"); status != http.StatusOK {
			t.Errorf("ready: %d %s", status, body)
		}
		status, page := get(t, base+"/metrics")
		if status != http.StatusOK {
			t.Fatalf("metrics: %d %s", status, page)
		}
		for _, wanted := range []string{"go_goroutines", "aftercare_view_lag_seconds", "aftercare_view_commit_duration_seconds_bucket"} {
			if !series(t, page)[wanted] {
				t.Errorf("there is no %s at %s", wanted, base)
			}
		}
		if strings.Contains(page, "It hums") {
			t.Error("the figures tell what cases say")
		}
	}
	p.killPostgres()
	if status, body := get(t, figures+"/health/live"); status != http.StatusOK {
		t.Errorf("live without a database: %d %s", status, body)
	}
}

// rebuilding are the figures of rebuilds, which are there only while there is one. Package observe tests them.
var rebuilding = []string{"aftercare_rebuild_portions", "aftercare_rebuild_portions_done", "aftercare_rebuild_started_timestamp_seconds"}

func TestAlertsAndDashboardsNameFiguresThatExist(t *testing.T) {
	t.Parallel()
	a := newPlace(t).up()
	opened := a.done("receiveTicket", map[string]any{"kind": "repair", "title": "It hums"})
	a.types(opened.ID, opened.Position) // waits for the view
	_, page := get(t, strings.TrimSuffix(a.url, "/graphql")+"/metrics")
	known := series(t, page)
	for _, name := range rebuilding {
		known[name] = true
	}
	named := expressions(t)
	if len(named) < 15 {
		t.Fatalf("only %d expressions were found", len(named))
	}
	used := make(map[string]bool)
	for where, expression := range named {
		for _, name := range regexp.MustCompile(`\b(aftercare|go|process)_[a-z0-9_]+`).FindAllString(expression, -1) {
			if used[name] = true; !known[name] {
				t.Errorf("%s asks for %s, which does not exist", where, name)
			}
		}
	}
	for _, name := range []string{"aftercare_view_lag_seconds", "aftercare_view_lag_events", "aftercare_view_parked_events", "aftercare_view_kept"} {
		if !used[name] {
			t.Errorf("neither an alert nor a panel has %s", name)
		}
	}
}

// expressions returns those of the shipped alerts and dashboards, by where they are.
func expressions(tb testing.TB) map[string]string {
	tb.Helper()
	var rules struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	text, err := os.ReadFile("../../deploy/prometheus/alerts.yml")
	if err == nil {
		err = yaml.Unmarshal(text, &rules)
	}
	if err != nil {
		tb.Fatal(err)
	}
	all := make(map[string]string)
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			all["alert "+r.Alert] = r.Expr
		}
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if text, err = os.ReadFile("../../deploy/grafana/projections.json"); err == nil {
		err = json.Unmarshal(text, &board)
	}
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range board.Panels {
		for i, target := range p.Targets {
			all[fmt.Sprintf("panel %s, %d", p.Title, i)] = target.Expr
		}
	}
	if slices.Contains(slices.Collect(maps.Values(all)), "") {
		tb.Error("an alert or a panel has no expression")
	}
	return all
}
