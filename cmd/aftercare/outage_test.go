package main_test

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"aftercare/deploy/localpg"
)

// soon bounds the answer to a wish that cannot be fulfilled.
const soon = 30 * time.Second

// distributed is the program in parts: an event node, a database, projectors and an API.
type distributed struct {
	t *testing.T
	*place
	api
	node     *process
	address  string
	database *localpg.Cluster
	stores   []string
}

func apart(t *testing.T) *distributed {
	t.Helper()
	d := &distributed{t: t, place: newPlace(t)}
	d.startNode("127.0.0.1:0")
	d.startDatabase()
	t.Cleanup(func() { _ = d.database.Stop(context.WithoutCancel(t.Context())) })
	d.stores = []string{"--eventstore-url", "esdb://" + d.address + "?tls=false", "--postgres-url", d.database.URL()}
	d.api = d.serving(append(d.stores, "serve")...)
	d.start(append(d.stores, "project")...).says("Aftercare is running")
	return d
}

func (d *distributed) startNode(listen string) {
	d.t.Helper()
	d.node = d.start("--node-listen", listen, "eventnode")
	u, err := url.Parse(d.node.says(`listens at (\S+)`))
	if err != nil {
		d.t.Fatal(err)
	}
	d.address = u.Host
}

func (d *distributed) startDatabase() {
	d.t.Helper()
	var err error
	d.database, err = localpg.Start(d.t.Context(), localpg.Options{Dir: filepath.Join(d.data, "postgres"), Fast: true})
	if err != nil {
		d.t.Fatal(err)
	}
}

func TestEventStoreOutage(t *testing.T) {
	t.Parallel()
	d := apart(t)
	opened := d.done("receiveTicket", map[string]any{"kind": "repair", "title": "The kettle leaks"})
	d.types(opened.ID, opened.Position) // the view has it

	d.node.kill()
	wish := map[string]any{"ticketId": opened.ID, "commandId": uuid.NewString()}
	began := time.Now() //nolint:forbidigo // how long it takes is what is asked
	refused := d.mutate("acknowledgeTicket", wish)
	if took := time.Since(began); took > soon { //nolint:forbidigo // see above
		t.Errorf("answered after %s, want at most %s", took, soon)
	} else {
		t.Log("without the event store a mutation is answered after", took, refused)
	}
	if refused.Typename != "Unavailable" || refused.Code != "store.unavailable" || !refused.Retryable {
		t.Errorf("without the event store: got %+v, want a retryable Unavailable", refused)
	}
	if diff := gocmp.Diff([]string{"ticket.received.v1"}, d.types(opened.ID, "")); diff != "" {
		t.Errorf("reads without the event store (-want +got):\n%s", diff)
	}

	d.startNode(d.address)
	done := d.done("acknowledgeTicket", wish)
	if diff := gocmp.Diff([]string{"ticket.received.v1", "ticket.acknowledged.v1"}, d.types(opened.ID, done.Position)); diff != "" {
		t.Errorf("after the outage (-want +got):\n%s", diff)
	}
}

func TestDatabaseOutage(t *testing.T) {
	t.Parallel()
	d := apart(t)
	opened := d.done("receiveTicket", map[string]any{"kind": "repair", "title": "The kettle leaks"})
	d.types(opened.ID, opened.Position)

	if err := d.database.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	read := d.ask(`{ tickets(first: 1) { nodes { id } } }`, nil)
	if len(read.Errors) == 0 || read.Errors[0].Extensions.Code != "views.unavailable" || !read.Errors[0].Extensions.Retryable {
		t.Errorf("a read without the database: got %d %+v %s, want a retryable views.unavailable", read.status, read.Errors, read.Data)
	}
	// The keys of persons are in the database: what needs one is refused.
	wish := map[string]any{"kind": "repair", "title": "The toaster smokes", "commandId": uuid.NewString()}
	refused := d.mutate("receiveTicket", wish)
	if refused.Typename != "Unavailable" || !refused.Retryable {
		t.Errorf("a text without the database: got %+v, want a retryable Unavailable", refused)
	}
	// What needs none is recorded, for the views to take in later.
	recorded := d.mutate("acknowledgeTicket", map[string]any{"ticketId": opened.ID})
	if recorded.Typename != "TicketChanged" || recorded.Ticket != nil {
		t.Errorf("a fact without the database: got %+v, want it recorded and not shown", recorded)
	}
	t.Log("without the database:", read.Errors, refused, recorded)

	d.startDatabase()
	if got := d.database.URL(); !strings.Contains(strings.Join(d.stores, " "), got) {
		t.Fatal("the database is elsewhere now")
	}
	second := d.done("receiveTicket", wish)
	if diff := gocmp.Diff([]string{"ticket.received.v1", "ticket.acknowledged.v1"}, d.types(opened.ID, second.Position)); diff != "" {
		t.Errorf("after the outage (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]string{"ticket.received.v1"}, d.types(second.ID, second.Position)); diff != "" {
		t.Errorf("the wish that was repeated (-want +got):\n%s", diff)
	}
}

func TestPrivateDatabaseIsStartedAgain(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a := p.up()
	opened := a.done("receiveTicket", map[string]any{"kind": "repair", "title": "The kettle leaks"})
	a.types(opened.ID, opened.Position)
	first := p.postgres()
	p.killPostgres()
	a.errSays("the database runs again")
	if p.postgres() == first {
		t.Error("the database was not killed")
	}
	again := a.done("acknowledgeTicket", map[string]any{"ticketId": opened.ID})
	if diff := gocmp.Diff([]string{"ticket.received.v1", "ticket.acknowledged.v1"}, a.types(opened.ID, again.Position)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if code := a.interrupt(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if left := p.alive(); len(left) > 0 {
		t.Errorf("still there: %q", left)
	}
}
