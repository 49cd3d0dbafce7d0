package process_test

import (
	"errors"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"aftercare/deploy/logbench/process"
)

// TestMain makes the test binary a server, too, and one that does not start.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "serve":
		if err := process.Serve(os.Stdin, os.Stdout, "url://here"); err != nil {
			panic(err)
		}
	case len(os.Args) > 1 && os.Args[1] == "fail":
	default:
		m.Run()
	}
}

func TestAChildServesUntilItIsStopped(t *testing.T) {
	t.Parallel()
	child, err := process.Start(t.Context(), io.Discard, "serve")
	if err != nil {
		t.Fatal(err)
	}
	if child.URL != "url://here" {
		t.Errorf("it serves at %q", child.URL)
	}
	for range 2 {
		if err := child.Stop(); err != nil {
			t.Error(err)
		}
	}
}

func TestAChildIsKilled(t *testing.T) {
	t.Parallel()
	child, err := process.Start(t.Context(), io.Discard, "serve")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := child.Kill(); err != nil {
			t.Error(err)
		}
	}
	if err := child.Stop(); err == nil {
		t.Error("it ended by itself")
	}
}

func TestAChildThatDoesNotServeIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := process.Start(t.Context(), io.Discard, "fail"); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want %v", err, io.EOF)
	}
}

func TestTheSystemTellsWhatAProcessUses(t *testing.T) {
	t.Parallel()
	memory, err := process.AnonymousMemory(os.Getpid())
	if runtime.GOOS != "linux" {
		if !errors.Is(err, process.ErrUnknown) {
			t.Errorf("got %v, want %v", err, process.ErrUnknown)
		}
		return
	}
	if err != nil || memory < 100<<10 || memory > 1<<30 {
		t.Errorf("%d bytes of memory: %v", memory, err)
	}
	before, err := process.CPUTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for now := before; now < before+50*time.Millisecond; { // ends only when the time is counted
		if now, err = process.CPUTime(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
}
