package commands_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aftercare/commands"
	"aftercare/commands/logtest"
	"aftercare/domain"
	"aftercare/domain/seal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	day = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	key = []byte("a key for the hashes of tests...")
)

// command adds n to a sum; its decider refuses to go above 100 and does nothing for 0. Open must come first.
type (
	command interface{ isCommand() }
	open    struct{ At time.Time }
	add     struct {
		At   time.Time
		N    int
		Text string
		Name seal.Text
		Tags map[string]string
	}
)

func (open) isCommand() {}
func (add) isCommand()  {}

type state struct {
	opened bool
	sum    int
}

var (
	errClosed  = domain.Refuse(domain.WrongState, "sum.closed")
	errTooMuch = domain.Refuse(domain.WrongState, "sum.too-much")
)

func decide(s state, c command) ([]logtest.Noted, error) {
	switch c := c.(type) {
	case open:
		return []logtest.Noted{{At: c.At}}, nil
	case add:
		switch {
		case !s.opened:
			return nil, errClosed
		case c.N == 0:
			return nil, nil
		case s.sum+c.N > 100:
			return nil, errTooMuch
		}
		return []logtest.Noted{{At: c.At, N: c.N, Text: c.Text, Secret: c.Name}}, nil
	}
	panic("unknown command")
}

func evolve(s state, e logtest.Noted) state { return state{opened: true, sum: s.sum + e.N} }

type handler = commands.Handler[state, command, logtest.Noted]

func newHandler(log commands.Log) handler {
	return handler{
		Log: log, HashKey: key,
		Decider: domain.Decider[state, command, logtest.Noted]{Category: "sum", Decide: decide, Evolve: evolve},
	}
}

func newLog() *logtest.Memory {
	return logtest.NewMemory(logtest.Codec(), logtest.Sealer{}, func() time.Time { return day })
}

func meta(n byte) domain.Metadata {
	return domain.Metadata{CommandID: domain.UUID{n}, Channel: "test"}
}

func must(t *testing.T) func(commands.Receipt, error) commands.Receipt {
	t.Helper()
	return func(r commands.Receipt, err error) commands.Receipt {
		t.Helper()
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		return r
	}
}

func numbers(t *testing.T, log commands.Log) []int {
	t.Helper()
	var got []int
	for r, err := range log.Read(t.Context(), "sum-1", 0) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.Event.(logtest.Noted).N)
	}
	return got
}

func wantNumbers(t *testing.T, log commands.Log, want ...int) {
	t.Helper()
	if diff := cmp.Diff(want, numbers(t, log)); diff != "" {
		t.Errorf("the stream (-want +got):\n%s", diff)
	}
}

func TestHandle(t *testing.T) {
	t.Parallel()
	log := newLog()
	h := newHandler(log)

	_, err := h.Handle(t.Context(), "1", add{At: day, N: 1}, meta(1))
	if !errors.Is(err, errClosed) {
		t.Errorf("add before open: %v, want %v", err, errClosed)
	}
	must(t)(h.Handle(t.Context(), "1", open{At: day}, meta(2)))
	r := must(t)(h.Handle(t.Context(), "1", add{At: day.Add(time.Hour), N: 7}, meta(3)))
	if r.Revision != 1 || r.Repeated {
		t.Errorf("receipt %+v, want revision 1", r)
	}
	nothing := must(t)(h.Handle(t.Context(), "1", add{At: day}, meta(4)))
	if nothing != r {
		t.Errorf("a fulfilled wish: %+v, want where the stream stands, %+v", nothing, r)
	}
	wantNumbers(t, log, 0, 7)
	for recorded, err := range log.Read(t.Context(), "sum-1", 1) {
		m := recorded.Metadata
		if err != nil || m.CommandID != meta(3).CommandID || len(m.CommandHash) != 32 || !m.OccurredAt.Equal(day.Add(time.Hour)) {
			t.Errorf("metadata %+v, %v", m, err)
		}
	}
}

func TestOneKeyIsOneWish(t *testing.T) {
	t.Parallel()
	log := newLog()
	h := newHandler(log)
	must(t)(h.Handle(t.Context(), "1", open{At: day}, meta(1)))
	wish := add{At: day, N: 60, Name: seal.New("p", "Dana"), Tags: map[string]string{"a": "1", "b": "2"}}
	first := must(t)(h.Handle(t.Context(), "1", wish, meta(2)))
	must(t)(h.Handle(t.Context(), "1", add{At: day, N: 30}, meta(3)))

	// Carried out now it would be too much: the answer is the first receipt all the same.
	wish.At = day.In(time.FixedZone("elsewhere", 8*3600))
	again := must(t)(h.Handle(t.Context(), "1", wish, meta(2)))
	first.Repeated = true
	if again != first {
		t.Errorf("again: %+v, want %+v", again, first)
	}
	reused := domain.Refuse(domain.Conflict, "command.key-reused")
	for name, other := range map[string]command{
		"another number": add{At: day, N: 61, Name: wish.Name, Tags: wish.Tags},
		"another name":   add{At: day, N: 60, Name: seal.New("p", "Dan"), Tags: wish.Tags},
		"another person": add{At: day, N: 60, Name: seal.New("q", "Dana"), Tags: wish.Tags},
		"another tag":    add{At: day, N: 60, Name: wish.Name, Tags: map[string]string{"a": "1", "b": "3"}},
		"another time":   add{At: day.Add(1), N: 60, Name: wish.Name, Tags: wish.Tags},
		"another wish":   open{At: day},
	} {
		if _, err := h.Handle(t.Context(), "1", other, meta(2)); !errors.Is(err, reused) {
			t.Errorf("%s: %v, want %v", name, err, reused)
		}
	}
	wantNumbers(t, log, 0, 60, 30)
}

func TestTheHashTellsNothingWithoutItsKey(t *testing.T) {
	t.Parallel()
	hashOf := func(key string) string {
		log := newLog()
		h := newHandler(log)
		h.HashKey = []byte(key)
		must(t)(h.Handle(t.Context(), "1", open{At: day}, meta(1)))
		for r, err := range log.Read(t.Context(), "sum-1", 0) {
			if err != nil {
				t.Error(err)
			}
			return r.Metadata.CommandHash
		}
		return ""
	}
	if a, b := hashOf("0123456789abcdef"), hashOf("0123456789abcdeg"); a == b || a == "" {
		t.Errorf("two keys give %q and %q", a, b)
	}
}

func TestHandleRefusesWithoutKeys(t *testing.T) {
	t.Parallel()
	h := newHandler(newLog())
	if _, err := h.Handle(t.Context(), "1", open{At: day}, domain.Metadata{}); !errors.Is(err, domain.Refuse(domain.Invalid, "command.id-missing")) {
		t.Errorf("without a command id: %v", err)
	}
	h.HashKey = []byte("short")
	if _, err := h.Handle(t.Context(), "1", open{At: day}, meta(1)); err == nil {
		t.Error("without a hash key: no error")
	}
}

func TestHandleAt(t *testing.T) {
	t.Parallel()
	h := newHandler(newLog())
	none, zero := uint64(5), uint64(0)
	_, err := h.HandleAt(t.Context(), "1", &none, open{At: day}, meta(1))
	wantRefusal(t, err, domain.Refuse(domain.Conflict, "revision.stale", "expected", "5", "actual", "none"))
	must(t)(h.Handle(t.Context(), "1", open{At: day}, meta(1)))
	must(t)(h.HandleAt(t.Context(), "1", &zero, add{At: day, N: 1}, meta(2)))
	_, err = h.HandleAt(t.Context(), "1", &zero, add{At: day, N: 2}, meta(3))
	wantRefusal(t, err, domain.Refuse(domain.Conflict, "revision.stale", "expected", "0", "actual", "1"))
	if r := must(t)(h.HandleAt(t.Context(), "1", &zero, add{At: day, N: 1}, meta(2))); !r.Repeated {
		t.Errorf("a repeated command: %+v", r)
	}
	must(t)(h.HandleAt(t.Context(), "1", nil, add{At: day, N: 2}, meta(4)))
}

// wantRefusal compares a refusal and its parameters.
func wantRefusal(t *testing.T, err error, want *domain.Error) {
	t.Helper()
	got, ok := errors.AsType[*domain.Error](err)
	if !ok || !cmp.Equal(want, got) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestHandleAll(t *testing.T) {
	t.Parallel()
	log := newLog()
	h := newHandler(log)
	all := []command{open{At: day}, add{At: day, N: 1}, add{At: day}, add{At: day, N: 2}}
	first := must(t)(h.HandleAll(t.Context(), "1", all, meta(1)))
	if first.Revision != 2 {
		t.Errorf("receipt %+v, want revision 2", first)
	}
	must(t)(h.Handle(t.Context(), "1", add{At: day, N: 3}, meta(2)))
	if again := must(t)(h.HandleAll(t.Context(), "1", all, meta(1))); again != first {
		t.Errorf("again %+v, want %+v", again, first)
	}
	imported := h
	imported.Since = first.Position
	known := first
	known.Repeated = true
	if again := must(t)(imported.HandleAll(t.Context(), "1", all, meta(1))); again != known {
		t.Errorf("again, in a later import: %+v, want %+v", again, known)
	}
	if nothing := must(t)(imported.HandleAll(t.Context(), "1", []command{add{At: day}}, meta(9))); nothing.Repeated || nothing.Revision != 3 {
		t.Errorf("nothing to do where something was written since: %+v", nothing)
	}
	imported.Since.Commit = math.MaxUint64
	if nothing := must(t)(imported.HandleAll(t.Context(), "1", []command{add{At: day}}, meta(9))); !nothing.Repeated {
		t.Errorf("nothing to do where all was written before: %+v", nothing)
	}
	imported.Since = first.Position
	if fresh := must(t)(imported.HandleAll(t.Context(), "2", all, meta(1))); fresh.Repeated {
		t.Errorf("new in a later import: %+v", fresh)
	}
	more := []command{add{At: day, N: 4}, add{At: day, N: 5}}
	last := must(t)(h.HandleAll(t.Context(), "1", more, meta(3)))
	again := must(t)(h.HandleAll(t.Context(), "1", more, meta(3)))
	last.Repeated = true
	if again != last {
		t.Errorf("more again %+v, want %+v", again, last)
	}
	if _, err := h.HandleAll(t.Context(), "1", []command{add{At: day, N: 1}, add{At: day, N: 99}}, meta(4)); !errors.Is(err, errTooMuch) {
		t.Errorf("a refusal of one: %v, want %v", err, errTooMuch)
	}
	_, err := h.HandleAll(t.Context(), "1", more[:1], meta(1))
	if !errors.Is(err, domain.Refuse(domain.Conflict, "command.key-reused")) {
		t.Errorf("one key, other commands: %v", err)
	}
	wantNumbers(t, log, 0, 1, 2, 3, 4, 5)
}

func TestHandleAllSplitsWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	memory := newLog()
	log := &faulty{Log: memory}
	h := newHandler(log)
	text := strings.Repeat("x", 300<<10)
	all := []command{open{At: day}}
	for range 9 {
		all = append(all, add{At: day, N: 1, Text: text})
	}
	// The power goes after the second part.
	log.fail = map[int]error{5: commands.ErrUnavailable} // too large, too large, part, part
	if _, err := h.HandleAll(t.Context(), "1", all, meta(1)); !errors.Is(err, commands.ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	if n := len(numbers(t, memory)); n == 0 || n >= 10 {
		t.Fatalf("%d events were written before the failure: the test is about a part", n)
	}
	for range 2 {
		if r := must(t)(h.HandleAll(t.Context(), "1", all, meta(1))); r.Revision != 9 {
			t.Errorf("receipt %+v", r)
		}
	}
	wantNumbers(t, memory, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1)

	_, err := h.Handle(t.Context(), "1", add{At: day, N: 1, Text: text + text + text + text}, meta(2))
	refusal, ok := errors.AsType[*domain.Error](err)
	if !ok || refusal.Code != "append.too-large" || refusal.Kind != domain.Invalid || refusal.Params["limit"] != "1048576" {
		t.Errorf("one event above the limit: %v", err)
	}
}

func TestConcurrentCommandsAllCount(t *testing.T) {
	t.Parallel()
	log := newLog()
	h := newHandler(log)
	h.Attempts = 100
	must(t)(h.Handle(t.Context(), "1", open{At: day}, meta(200)))
	var wg sync.WaitGroup
	for i := range byte(10) {
		// Every command is sent three times at once.
		for range 3 {
			wg.Go(func() {
				if _, err := h.Handle(t.Context(), "1", add{At: day, N: 1}, meta(1+i)); err != nil {
					t.Errorf("command %d: %v", i, err)
				}
			})
		}
	}
	wg.Wait()
	wantNumbers(t, log, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
}

func TestOneKeyForTwoWishesAtOnce(t *testing.T) {
	t.Parallel()
	for range 50 {
		log := newLog()
		h := newHandler(log)
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = h.HandleAll(t.Context(), "1", []command{open{At: day}, add{At: day, N: 1 + i}}, meta(1))
			})
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("got %v and %v, want one refusal", errs[0], errs[1])
		}
	}
}

func TestOneKeyOnTwoStreamsIsTwoCommands(t *testing.T) {
	t.Parallel()
	log := newLog()
	h := newHandler(log)
	ids := make(map[domain.UUID]string)
	for _, id := range []string{"1", "2"} {
		if r := must(t)(h.Handle(t.Context(), id, open{At: day}, meta(1))); r.Repeated {
			t.Errorf("the command on %s was taken for the other stream's", id)
		}
		for r, err := range log.Read(t.Context(), "sum-"+id, 0) {
			if err != nil {
				t.Fatal(err)
			}
			if other, ok := ids[r.ID]; ok {
				t.Errorf("an event of %s has the id of one of %s", r.Stream, other)
			}
			ids[r.ID] = r.Stream
		}
	}
	if len(ids) != 2 {
		t.Errorf("got %d events, want 2", len(ids))
	}
}

func TestFailuresOfTheStore(t *testing.T) {
	t.Parallel()
	cause := errors.New("connection refused")
	cases := map[string]struct {
		fail error
		want *domain.Error
	}{
		"unavailable": {fmt.Errorf("%w: %w", commands.ErrUnavailable, cause), domain.Refuse(domain.Unavailable, "store.unavailable")},
		"contended":   {fmt.Errorf("%w: %w", commands.ErrConflict, cause), domain.Refuse(domain.Conflict, "stream.contended")},
		"too large":   {fmt.Errorf("%w: %w", commands.ErrTooLarge, cause), domain.Refuse(domain.Invalid, "append.too-large")},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := &faulty{Log: newLog(), always: c.fail}
			_, err := newHandler(log).Handle(t.Context(), "1", open{At: day}, meta(1))
			if !errors.Is(err, c.want) || !errors.Is(err, cause) {
				t.Errorf("got %v, want %v and its cause", err, c.want)
			}
		})
	}
	t.Run("any other stays itself", func(t *testing.T) {
		t.Parallel()
		_, err := newHandler(&faulty{Log: newLog(), always: cause}).Handle(t.Context(), "1", open{At: day}, meta(1))
		if _, refusal := errors.AsType[*domain.Error](err); refusal || !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
	})
}

func TestWordsOfAForgottenPersonAreRefused(t *testing.T) {
	t.Parallel()
	log := newLog()
	all := []command{open{At: day}, add{At: day, N: 1, Name: seal.New("forgotten", "Dana")}}
	_, err := newHandler(log).HandleAll(t.Context(), "1", all, meta(1))
	if !errors.Is(err, domain.Refuse(domain.WrongState, "person.forgotten")) || !errors.Is(err, seal.ErrForgotten) {
		t.Errorf("got %v", err)
	}
	wantNumbers(t, log)
}

func TestAnUnknownTypeStopsDeciding(t *testing.T) {
	t.Parallel()
	log := newLog()
	_, err := log.Append(t.Context(), "sum-1", commands.NoStream, []commands.Proposed{{ID: domain.UUID{1}, Event: logtest.Counted{At: day}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newHandler(log).Handle(t.Context(), "1", add{At: day, N: 1}, meta(1)); !errors.Is(err, commands.ErrUnknownType) {
		t.Errorf("got %v, want %v", err, commands.ErrUnknownType)
	}
}

// faulty fails the appends with the given numbers, counted from 1, or all of them.
type faulty struct {
	commands.Log
	always error
	fail   map[int]error
	count  int
}

func (f *faulty) Append(ctx context.Context, stream string, expected commands.Expected, events []commands.Proposed) (commands.Receipt, error) {
	f.count++
	if f.always != nil {
		return commands.Receipt{}, f.always
	}
	if err := f.fail[f.count]; err != nil {
		return commands.Receipt{}, err
	}
	return f.Log.Append(ctx, stream, expected, events)
}
