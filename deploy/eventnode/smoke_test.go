package eventnode_test

import (
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

func TestSmoke(t *testing.T) {
	t.Parallel()
	c := node(t)
	put(t, c, "a-1", esdb.NoStream{}, events("1", "2", "3")...)
	got := texts(readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}, Direction: esdb.Forwards}))
	t.Log(got)
	if len(got) != 3 {
		t.Fatal(len(got))
	}
}
