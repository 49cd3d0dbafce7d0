package policies_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aftercare/commands"
	"aftercare/commands/logtest"
	"aftercare/commands/policies"
	"aftercare/domain"
	"aftercare/domain/clock"
	"aftercare/domain/codec"
	"aftercare/domain/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var at = time.Date(2026, 3, 2, 1, 30, 0, 0, time.UTC) // a Monday, 09:30 in Shanghai

func newLog() *logtest.Memory {
	return logtest.NewMemory(codec.New(codec.JSON[policy.Published]()), logtest.Sealer{}, func() time.Time { return at })
}

func handler(log commands.Log) policies.Policies {
	return commands.Handler[policy.State, policy.Publish, policy.Published]{
		Log: log, HashKey: make([]byte, 32), Decider: policy.Decider(),
	}
}

func publish(t *testing.T, log commands.Log, run byte, versions []policy.Version) commands.Receipt {
	t.Helper()
	// Every run is at another time, as starts of a program are.
	receipt, err := policies.Publish(t.Context(), handler(log), at.Add(time.Duration(run)*time.Hour), versions, domain.Metadata{CommandID: domain.UUID{run}})
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func load(t *testing.T, log commands.Follower) *policy.Book {
	t.Helper()
	book, err := policies.Load(t.Context(), log, "2026a")
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func TestTheDefaultPolicies(t *testing.T) {
	t.Parallel()
	log := newLog()
	first := publish(t, log, 1, policies.Default())
	if again := publish(t, log, 2, policies.Default()); again.Position != first.Position {
		t.Errorf("published again: %+v, want nothing new after %+v", again, first)
	}
	book := load(t, log)
	if diff := cmp.Diff([]string{"always", "cn", "gb", "office", "us", "service"}, ids(book.Versions())); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}
	cases := map[string]struct {
		c    clock.Case
		fact string
		want map[string]time.Time
	}{
		"a request": {clock.Case{Kind: "complaint"}, "received", map[string]time.Time{
			"acknowledgement": at.Add(5 * time.Minute), "first_response": at.Add(30 * time.Minute),
			"resolution": time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC),
		}},
		"a repair": {clock.Case{Kind: "repair"}, "received", map[string]time.Time{
			"acknowledgement": at.Add(5 * time.Minute), "first_response": at.Add(30 * time.Minute), "dispatch": at.Add(time.Hour),
			"resolution": time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC),
		}},
		"a technician on the way": {clock.Case{Kind: "repair"}, "dispatched", map[string]time.Time{"arrival": at.Add(4 * time.Hour)}},
		"an imported case":        {clock.Case{Kind: "repair", Source: "elsewhere"}, "received", map[string]time.Time{}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := map[string]time.Time{}
			for _, e := range (clock.Engine{Rules: book}).Fact(clock.Board{}, c.c, c.fact, at) {
				if e, ok := e.(clock.Started); ok {
					got[e.Clock] = e.Promise.Due.UTC()
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("due times (-want +got):\n%s", diff)
			}
		})
	}
}

func ids(versions []policy.Version) (ids []string) {
	for _, v := range versions {
		ids = append(ids, v.ID)
	}
	return ids
}

func TestProblemsHaveTheirPlace(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/bad.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, err = policies.Read("bad.yaml", bytes.NewReader(text))
	if err == nil {
		t.Fatal("a bad file was taken")
	}
	got := strings.Split(err.Error(), "\n")
	want := []string{
		"bad.yaml:5:13: calendar.unknown-zone field=zone value=Asia/Shangai",
		"bad.yaml:9:13: calendar.malformed-time field=week.mon[1] value=25:00",
		"bad.yaml:15:16: clock.bad-definition clock=first_response field=start value=came-in",
		"bad.yaml:20:5: policy.content-missing id=empty",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	var problem *policies.ProblemError
	if !errors.As(err, &problem) || problem.Line != 5 || !errors.Is(err, domain.Refuse(domain.Invalid, "policy.content-missing")) {
		t.Errorf("the first problem is %+v", problem)
	}
}

func TestMalformedFilesNameTheLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"unknown field":  {"policies:\n  - id: a\n    vers: 1\n", "f.yaml:3:5: unknown field \"vers\""},
		"wrong type":     {"policies:\n  - id: a\n    version: one\n", "f.yaml:3:14: "},
		"unknown unit":   {"policies:\n  - id: a\n    version: 1\n    clocks:\n      - {clock: c, unit: days}\n", "f.yaml:5:26: clock.unknown-unit value=days"},
		"no time":        {"policies:\n  - id: a\n    validFrom: yesterday\n", "f.yaml:3:16: policy.bad-time field=validFrom value=yesterday"},
		"a date":         {"policies:\n  - id: a\n    validTo: 2026-01-01\n", "f.yaml:3:14: policy.bad-time field=validTo value=2026-01-01"},
		"not YAML":       {"policies:\n  - id: [a\n", "f.yaml:2:"},
		"duplicate key":  {"policies:\n  - id: a\n    id: b\n", "f.yaml:3:5: "},
		"nothing":        {"", "f.yaml: policy.file-empty"},
		"another format": {"- id: a\n", "f.yaml:1:1: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := policies.Read("f.yaml", strings.NewReader(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "f.yaml:") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestTimesKeepTheirZone(t *testing.T) {
	t.Parallel()
	text := "policies:\n  - {id: a, version: 1, validFrom: 2026-01-01T00:00:00+08:00, calendar: {zone: Asia/Shanghai}}\n"
	versions, err := policies.Read("f.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2025, 12, 31, 16, 0, 0, 0, time.UTC); len(versions) != 1 || !versions[0].ValidFrom.Equal(want) {
		t.Errorf("got %+v, want valid from %v", versions, want)
	}
}

func TestPublishingEndsWithTheFirstRefusal(t *testing.T) {
	t.Parallel()
	log := newLog()
	versions := policies.Default()
	publish(t, log, 1, versions)
	changed := slices.Clone(versions)
	changed[1].Title = "changed without a new version"
	_, err := policies.Publish(t.Context(), handler(log), at, changed, domain.Metadata{CommandID: domain.UUID{2}})
	if !errors.Is(err, domain.Refuse(domain.Conflict, "policy.version-exists")) || !strings.Contains(err.Error(), "version 1 of office") {
		t.Errorf("got %v, want that the version exists", err)
	}
}

func TestWatchTellsOfChanges(t *testing.T) {
	t.Parallel()
	log := newLog()
	versions := policies.Default()
	publish(t, log, 1, versions[:1])
	ctx, cancel := context.WithCancel(t.Context())
	books, ended := make(chan *policy.Book), make(chan error, 1)
	go func() {
		ended <- policies.Watch(ctx, log, "2026a", func(b *policy.Book) error {
			books <- b
			return nil
		})
	}()
	if got := ids((<-books).Versions()); !slices.Equal(got, []string{"always"}) {
		t.Errorf("first told of %v", got)
	}
	publish(t, log, 2, versions[:2])
	if got := ids((<-books).Versions()); !slices.Equal(got, []string{"always", "office"}) {
		t.Errorf("then told of %v", got)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

func TestAnEmptyLogHasAnEmptyBook(t *testing.T) {
	t.Parallel()
	if book := load(t, newLog()); len(book.Versions()) != 0 || book.TZ() != "2026a" {
		t.Errorf("got %+v", book)
	}
}
