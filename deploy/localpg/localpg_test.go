package localpg_test

import (
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"aftercare/deploy/localpg"
)

func TestASecondStartGoesOnWithTheSameData(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	first := start(t, localpg.Options{Dir: dir})
	query(t, first.URL(), "CREATE TABLE kept AS SELECT 7 AS n")
	stop(t, first)
	<-first.Done()

	second := start(t, localpg.Options{Dir: dir})
	if first.URL() != second.URL() {
		t.Errorf("the address changed from %s to %s", first.URL(), second.URL())
	}
	if got := query(t, second.URL(), "SELECT n FROM kept"); got != "7" {
		t.Errorf("got %q, want 7", got)
	}
}

func TestTheServerIsPrivateAndCareful(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	cluster := start(t, localpg.Options{Dir: dir, Settings: map[string]string{"work_mem": "3MB"}})

	got := make(map[string]string)
	want := map[string]string{ //nolint:gosec // G101: no credentials
		"listen_addresses":    "127.0.0.1",
		"data_checksums":      "on",
		"server_encoding":     "UTF8",
		"TimeZone":            "UTC",
		"password_encryption": "scram-sha-256",
		"work_mem":            "3MB",
	}
	for name := range want {
		got[name] = query(t, cluster.URL(), "SHOW "+name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if got := query(t, cluster.URL(), "SELECT string_agg(DISTINCT auth_method, ' ') FROM pg_hba_file_rules"); got != "scram-sha-256" {
		t.Errorf("it lets in by %q, want by password only", got)
	}
	for name, mode := range map[string]fs.FileMode{"localpg.json": 0o600, "run": 0o700, "cluster": 0o700} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != mode {
			t.Errorf("%s: got mode %v, want %v", name, info.Mode().Perm(), mode)
		}
	}
}

func TestAWrongPasswordIsRefused(t *testing.T) {
	t.Parallel()
	cluster := start(t, localpg.Options{Dir: folder(t)})
	address, err := url.Parse(cluster.URL())
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword(address.User.Username(), "guess")
	_, err = pgconn.Connect(t.Context(), address.String())
	var refusal *pgconn.PgError
	if !errors.As(err, &refusal) || refusal.Code != "28P01" {
		t.Errorf("got %v, want a refusal of the password", err)
	}
}

func TestACopyOfTheProgramIsRefused(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	first := start(t, localpg.Options{Dir: dir})
	_, err := localpg.Start(t.Context(), localpg.Options{Dir: dir, Fast: true})
	if _, ok := errors.AsType[*localpg.BusyError](err); !ok {
		t.Errorf("got %v, want that it is busy", err)
	}
	query(t, first.URL(), "SELECT 1")
}

func TestAPortThatWasTakenMeanwhileIsChanged(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	first := start(t, localpg.Options{Dir: dir})
	stop(t, first)
	address, err := url.Parse(first.URL())
	if err != nil {
		t.Fatal(err)
	}
	var config net.ListenConfig
	squatter, err := config.Listen(t.Context(), "tcp", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer squatter.Close() //nolint:errcheck // the test has what it wants

	second := start(t, localpg.Options{Dir: dir})
	if first.URL() == second.URL() {
		t.Error("the port is that of another listener")
	}
	query(t, second.URL(), "SELECT 1")
}

func TestAFolderWithALongNameHasASocketToo(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(folder(t), strings.Repeat("long", 30))
	cluster := start(t, localpg.Options{Dir: dir})
	socket := query(t, cluster.URL(), "SHOW unix_socket_directories")
	if matches, err := filepath.Glob(filepath.Join(socket, ".s.PGSQL.*")); err != nil || len(matches) == 0 {
		t.Errorf("no socket in %s: %v", socket, err)
	}
	stop(t, cluster)
	if _, err := os.Stat(socket); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s stays behind: %v", socket, err)
	}
}

func TestRootsClosedFolderHasItsClusterElsewhere(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root runs the server as another user")
	}
	dir := filepath.Join(t.TempDir(), "data") // below a folder of mode 0700
	first := start(t, localpg.Options{Dir: dir})
	home, err := os.Readlink(filepath.Join(dir, "cluster"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(filepath.Dir(home)); err != nil {
			t.Error(err)
		}
	})
	query(t, first.URL(), "CREATE TABLE kept AS SELECT 7 AS n")
	stop(t, first)
	second := start(t, localpg.Options{Dir: dir})
	if got := query(t, second.URL(), "SELECT n FROM kept"); got != "7" {
		t.Errorf("got %q, want 7", got)
	}
	stop(t, second)
}
