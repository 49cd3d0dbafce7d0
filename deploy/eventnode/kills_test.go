package eventnode_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"aftercare/deploy/eventnode"
)

const (
	childDir = "EVENTNODE_TEST_DIR"
	killsVar = "AFTERCARE_TEST_KILLS"
)

// runChild is a process that runs a node on dir until it is killed. It prints its address.
func runChild(dir string) int {
	n, err := eventnode.Open(eventnode.EagerIndex(eventnode.Options{Dir: dir}, 200))
	if err != nil {
		_, _ = io.WriteString(os.Stderr, err.Error())
		return 1
	}
	_, _ = io.WriteString(os.Stdout, n.Addr()+"\n")
	if err := n.Run(context.Background()); err != nil {
		return 1
	}
	return 0
}

// TestKills kills a node that several writers write to, at random points and also while it starts, and starts it again on
// the same directory. After each kill, everything that was acknowledged must be there, once, at the acknowledged revision
// and position; no position may ever show another event, no stream may have a gap, and what is sent again
// must not be doubled. AFTERCARE_TEST_KILLS says how often, defaults to 100:
//
//	AFTERCARE_TEST_KILLS=2000 go test ./deploy/eventnode -run '^TestKills$' -v -timeout 30m
func TestKills(t *testing.T) {
	t.Parallel()
	kills := 100
	if n, err := strconv.Atoi(os.Getenv(killsVar)); err == nil {
		kills = n
	}
	seed := uint64(time.Now().UnixNano()) //nolint:forbidigo // every run is another one
	t.Logf("seed %d", seed)
	began := time.Now() //nolint:forbidigo // reported
	k := &killer{
		dir: t.TempDir(), rng: rand.New(rand.NewPCG(seed, 0)), //nolint:gosec // not a secret
		history: newChronicle(),
	}
	for w := range 6 {
		k.writers = append(k.writers, newWriter(w, seed))
	}
	var dead int
	for dead < kills {
		if k.rng.IntN(8) == 0 {
			k.killWhileStarting(t)
		} else {
			k.round(t)
		}
		dead++
		if dead < 400 && dead%8 == 0 { // while the log is small
			k.rot(t)
		}
		if t.Failed() {
			t.Fatalf("after %d kills", dead)
		}
		if dead%100 == 0 {
			t.Logf("%d kills, %s, %.0f s", dead, k.history.summary(), time.Since(began).Seconds()) //nolint:forbidigo // reported
		}
	}
	k.last(t)
	t.Logf("kills %d (%d of them while starting), %s, damaged copies %d (%d refused as a whole), %.0f s",
		dead, k.starts, k.history.summary(), k.rotted, k.refused, time.Since(began).Seconds()) //nolint:forbidigo // reported
}

// killer is the test as a whole.
type killer struct {
	dir     string
	rng     *rand.Rand
	writers []*writer
	history *chronicle
	starts  int // kills while it started
	rotted  int // copies with damage
	refused int // of these, as a whole
}

// child is a node in a process of its own.
type child struct {
	*exec.Cmd
}

// spawn starts a process; its address is not known yet.
func (k *killer) spawn(tb testing.TB) (*child, io.Reader) {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.CommandContext(tb.Context(), self) //nolint:gosec // this very test binary
	cmd.Env = append(os.Environ(), childDir+"="+k.dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	return &child{Cmd: cmd}, out
}

// start runs a node and connects to it.
func (k *killer) start(tb testing.TB) (*child, *grpc.ClientConn) {
	tb.Helper()
	c, out := k.spawn(tb)
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		tb.Fatalf("the node did not start: %v, %v", err, c.Wait())
	}
	cc, err := grpc.NewClient(strings.TrimSpace(addr), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		tb.Fatal(err)
	}
	return c, cc
}

// round starts the node, checks what is new, lets the writers write and kills the node in the middle.
func (k *killer) round(tb testing.TB) {
	tb.Helper()
	c, cc := k.start(tb)
	defer func() {
		_ = c.Process.Kill() // dead already, if all went well
		_ = c.Wait()
		_ = cc.Close()
	}()
	if err := k.history.follow(tb.Context(), cc, k.rng); err != nil {
		tb.Error(err)
		return
	}
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute) // a bound, never reached
	defer cancel()
	var acked atomic.Int64
	deadline := int64(k.rng.IntN(120))
	kill := sync.OnceFunc(func() { _ = c.Process.Kill() })
	if k.rng.IntN(4) == 0 { // at a point in time instead of an acknowledgement
		deadline = 1 << 40
		timer := time.AfterFunc(time.Duration(k.rng.IntN(int(60*time.Millisecond))), kill)
		defer timer.Stop()
	}
	var writing sync.WaitGroup
	errs := make([]error, len(k.writers))
	for i, w := range k.writers {
		writing.Go(func() {
			errs[i] = w.write(ctx, cc, k.history, func() {
				if acked.Add(1) >= deadline {
					kill()
				}
			})
			if errs[i] != nil {
				kill()
			}
		})
	}
	writing.Wait()
	if err := errors.Join(errs...); err != nil {
		tb.Error(err)
	}
}

// killWhileStarting starts the node and kills it before anybody could use it.
func (k *killer) killWhileStarting(tb testing.TB) {
	tb.Helper()
	k.starts++
	c, out := k.spawn(tb)
	if k.rng.IntN(2) == 0 {
		timer := time.AfterFunc(time.Duration(k.rng.IntN(int(40*time.Millisecond))), func() { _ = c.Process.Kill() })
		defer timer.Stop()
	}
	_, _ = bufio.NewReader(out).ReadString('\n') // ends when it is dead, too
	_ = c.Process.Kill()
	_ = c.Wait()
}

// last checks everything once more, on the node and on the files.
func (k *killer) last(tb testing.TB) {
	tb.Helper()
	c, cc := k.start(tb)
	defer func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		_ = cc.Close()
	}()
	if err := k.history.follow(tb.Context(), cc, k.rng); err != nil {
		tb.Error(err)
		return
	}
	if err := k.history.again(tb.Context(), cc); err != nil {
		tb.Errorf("all of it: %v", err)
	}
	if info, err := os.Stat(filepath.Join(k.dir, "events.log")); err == nil {
		tb.Logf("%d MiB of events", info.Size()>>20)
	}
}
