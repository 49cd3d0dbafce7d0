package eventnode_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/deploy/eventnode"
)

func TestALogThatVanishedIsNotBegunAnew(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(string) error{
		"removed": os.Remove,
		"emptied": func(path string) error { return os.Truncate(path, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			once(t, dir, func(c *esdb.Client) { put(t, c, "s", esdb.Any{}, events("0", "1")...) })
			if err := lose(filepath.Join(dir, "events.log")); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				n, err := eventnode.Open(eventnode.Options{Dir: dir})
				if _, refused := errors.AsType[*eventnode.CorruptError](err); !refused {
					t.Errorf("got %v, want a refusal to forget acknowledged events", err)
				}
				if n != nil {
					_ = n.Close()
				}
			}
		})
	}
}

func TestNamesTooLongForTheIndexAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 2 { // and the node starts again
		once(t, dir, func(c *esdb.Client) {
			ctx := t.Context()
			if _, err := c.AppendToStream(ctx, strings.Repeat("s", 40_000), esdb.AppendToStreamOptions{}, event("0")); err == nil {
				t.Error("a name that the index cannot hold was accepted")
			}
			if _, err := c.AppendToStream(ctx, strings.Repeat("s", 30_000), esdb.AppendToStreamOptions{}, event("0")); err != nil {
				t.Error(err)
			}
			if _, err := c.DeleteStream(ctx, strings.Repeat("s", 30_000), esdb.DeleteStreamOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
}
