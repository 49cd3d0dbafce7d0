package eventnode_test

import (
	"path/filepath"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/go-cmp/cmp"

	"aftercare/deploy/eventnode"
	"aftercare/deploy/eventnode/storage"
)

func TestABackupOfARunningNodeIsServedByAnother(t *testing.T) {
	t.Parallel()
	dir, to, into := t.TempDir(), filepath.Join(t.TempDir(), "backup"), filepath.Join(t.TempDir(), "restored")
	c := connect(t, start(t, eventnode.Options{Dir: dir}))
	for range 20 {
		put(t, c, "a", esdb.Any{}, events("one", "two")...)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // goes on while the backup is made
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := c.AppendToStream(t.Context(), "b", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, event("later")); err != nil {
					t.Errorf("append: %v", err)
					return
				}
			}
		}
	}()
	done, err := storage.Backup(t.Context(), dir, to, storage.BackupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	close(stop)
	<-stopped
	if _, err := storage.Restore(t.Context(), to, into, nil); err != nil {
		t.Fatal(err)
	}
	again := connect(t, start(t, eventnode.Options{Dir: into}))
	want := all(readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}}))
	got := all(readAll(t, again, esdb.ReadAllOptions{From: esdb.Start{}}))
	if len(got) < 40 || len(got) > len(want) || uint64(len(got)) != done.Events {
		t.Fatalf("%d events, the backup has %d, the node %d", len(got), done.Events, len(want))
	}
	if diff := cmp.Diff(want[:len(got)], got); diff != "" {
		t.Errorf("restored (- node, + backup):\n%s", diff)
	}
	if res := put(t, again, "a", esdb.Revision(39), event("goes on")); res.NextExpectedVersion != 40 {
		t.Errorf("the next revision is %d, want 40", res.NextExpectedVersion)
	}
}
