package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"aftercare/deploy/logbench/measure"
	"aftercare/deploy/logbench/process"
)

const (
	// tailEvents is how many of the last events of a stream are read. They are appended one by one, in turns with those of all
	// other streams, as real streams grow: so each stands in another place of the log.
	tailEvents = 10
	tailReads  = 10_000
	// loadWriters append to a large store at the same time.
	loadWriters     = 64
	loadConnections = 4
	largeFolder     = "large"
	// bytesPerEvent is what an event takes on disk with its part of the index, generously.
	bytesPerEvent = 1200
)

// largeStore fills a store and measures how it starts and reads, and what memory it takes.
func (b *bench) largeStore(ctx context.Context, r *report) error {
	if free, err := freeBytes(b.dir); err == nil && free < int64(b.options.events)*bytesPerEvent {
		return fmt.Errorf("%d events need about %d GiB in %s, of which %d are free", b.options.events, b.options.events*bytesPerEvent>>30, b.dir, free>>30)
	}
	l := &large{bench: b, streams: max(1, b.options.events/b.options.perStream)}
	l.figures = storeFigures{Events: b.options.events, Streams: l.streams}
	err := l.run(ctx)
	if l.node != nil {
		err = errors.Join(err, l.stop())
	}
	r.Store = &l.figures
	return err
}

// large is the run of one large store.
type large struct {
	*bench
	streams int
	runID   uint32
	node    *server
	watch   *watch
	figures storeFigures
	probes  int // appends that showed that a node was up
}

func (l *large) run(ctx context.Context) error {
	l.runID = l.nextRun()
	steps := []struct {
		name string
		do   func(context.Context) error
	}{
		{"start on an empty folder", func(ctx context.Context) error { return l.start(ctx, "empty") }},
		{"append", l.load},
		{"stop", func(context.Context) error { return l.timedStop() }},
		{"start", func(ctx context.Context) error { return l.start(ctx, "after a clean stop") }},
		{"read everything", l.readEverything},
		{"read the last events of streams", func(ctx context.Context) error { return l.readTails(ctx, "in the page cache") }},
		{"kill while appending", l.kill},
		{"start", func(ctx context.Context) error { return l.start(ctx, "after SIGKILL") }},
		{"stop, and drop the page cache", l.dropCaches},
		{"start", func(ctx context.Context) error { return l.start(ctx, "after a clean stop, page cache dropped") }},
		{"read the last events of streams", func(ctx context.Context) error { return l.readTails(ctx, "page cache dropped") }},
	}
	for _, step := range steps {
		l.progress("large store: %s", step.name)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// start starts the node and measures the time until an append is acknowledged, the start of the process included.
func (l *large) start(ctx context.Context, when string) error {
	from := l.now()
	child, err := l.startNode(ctx, largeFolder)
	if err != nil {
		return err
	}
	node, err := connect(nameNode, child, loadConnections)
	if err != nil {
		return errors.Join(err, child.Stop())
	}
	l.node, l.watch = node, watchMemory(child.PID())
	l.probes++
	options := esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}
	_, err = node.connections[0].AppendToStream(ctx, "probe", options, clientEvents(l.runID, maxWriters, uint64(l.probes), 1)...) //nolint:gosec // G115: few
	if err != nil {
		return err
	}
	l.figures.Starts = append(l.figures.Starts, startFigures{When: when, Seconds: l.now().Sub(from).Seconds()})
	return l.memory("start, " + when)
}

// memory notes what the node takes now.
func (l *large) memory(after string) error {
	bytes, err := process.AnonymousMemory(l.node.pid())
	if errors.Is(err, process.ErrUnknown) {
		return nil
	}
	l.figures.Memory = append(l.figures.Memory, memoryFigures{After: after, MiB: mebibytes(bytes), PeakMiB: mebibytes(l.watch.reset())})
	return err
}

// stop ends the node and notes what is on disk then.
func (l *large) stop() error {
	l.watch.stop()
	l.node.close()
	err := l.node.child.Stop()
	l.node = nil
	return err
}

func (l *large) timedStop() error {
	from := l.now()
	if err := l.stop(); err != nil {
		return err
	}
	l.figures.StopSeconds = l.now().Sub(from).Seconds()
	var err error
	l.figures.Files, err = sizes(filepath.Join(l.dir, largeFolder))
	return err
}

// load appends the heads of all streams, each in one append, and then their tails.
func (l *large) load(ctx context.Context) error {
	head := l.options.perStream - tailEvents
	drive := measure.Drive{Writers: loadWriters, Now: l.now}
	every := max(1, l.streams/10)
	from := l.now()
	err := drive.Times(ctx, l.streams, func(ctx context.Context, writer, n int) error {
		if n > 0 && n%every == 0 {
			l.progress("large store: %d of %d streams begun, %.0f events/s", n, l.streams, float64(n*head)/l.now().Sub(from).Seconds())
		}
		return l.append(ctx, writer, n, 0, head)
	})
	if err != nil {
		return err
	}
	l.figures.LoadPerSecond = float64(l.streams*head) / l.now().Sub(from).Seconds()
	if err := l.memory(fmt.Sprintf("appends of %d", head)); err != nil {
		return err
	}
	l.progress("large store: the last %d events of every stream, one by one", tailEvents)
	from = l.now()
	if err := l.tails(ctx, head, tailEvents); err != nil {
		return err
	}
	l.figures.TailPerSecond = float64(l.streams*tailEvents) / l.now().Sub(from).Seconds()
	return l.memory("appends of 1")
}

// tails appends that many events to every stream, one by one and stream after stream.
func (l *large) tails(ctx context.Context, at, count int) error {
	drive := measure.Drive{Writers: loadWriters, Now: l.now}
	for i := range count {
		err := drive.Times(ctx, l.streams, func(ctx context.Context, writer, n int) error {
			return l.append(ctx, writer, n, at+i, 1)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *large) append(ctx context.Context, writer, stream, at, count int) error {
	options := esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}
	if at > 0 {
		options.ExpectedRevision = esdb.Revision(uint64(at - 1))
	}
	id := uint64(stream*l.options.perStream + at) //nolint:gosec // G115: not negative
	client := l.node.connections[writer%loadConnections]
	_, err := client.AppendToStream(ctx, streamName(l.runID, stream), options, clientEvents(l.runID, 0, id, count)...)
	return err
}

func (l *large) readEverything(ctx context.Context) error {
	from := l.now()
	n, err := readEverything(ctx, l.node.connections[0])
	if err != nil {
		return err
	}
	if want := l.streams * l.options.perStream; n < want {
		return fmt.Errorf("got %d events of %d", n, want)
	}
	l.figures.ReadPerSecond = float64(n) / l.now().Sub(from).Seconds()
	return l.memory("reading everything")
}

// readTails reads the last events of random streams, one after the other.
func (l *large) readTails(ctx context.Context, when string) error {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: the same streams in every run
	options := esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}}
	var took []time.Duration
	for range tailReads {
		name := streamName(l.runID, random.IntN(l.streams))
		from := l.now()
		stream, err := l.node.connections[0].ReadStream(ctx, name, options, tailEvents)
		if err != nil {
			return err
		}
		n, err := drainStream(stream)
		if err != nil {
			return err
		}
		took = append(took, l.now().Sub(from))
		if n != tailEvents {
			return fmt.Errorf("%s gave %d events instead of %d", name, n, tailEvents)
		}
	}
	slices.Sort(took)
	l.figures.Tails = append(l.figures.Tails, tailFigures{
		When: when, P50: milliseconds(measure.Percentile(took, 0.5)), P99: milliseconds(measure.Percentile(took, 0.99)),
		Max: milliseconds(took[len(took)-1]),
	})
	return l.memory(fmt.Sprintf("%d reads of the last events of a stream, %s", tailReads, when))
}

// kill ends the node, as a crash would, in the middle of appends.
func (l *large) kill(ctx context.Context) error {
	const appending = 3 * time.Second
	writing, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = l.tails(writing, l.options.perStream, tailEvents) // those under way fail, of course
	}()
	measure.Pause(ctx, appending)
	l.watch.stop()
	err := l.node.child.Kill()
	cancel()
	<-ended
	l.node.close()
	l.node = nil
	return err
}

func (l *large) dropCaches(context.Context) error {
	if err := l.stop(); err != nil {
		return err
	}
	return filepath.WalkDir(filepath.Join(l.dir, largeFolder), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return dropCache(path)
	})
}

// sizes returns the files of a folder, the largest first.
func sizes(dir string) ([]fileFigures, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []fileFigures
	for _, entry := range entries {
		var total int64
		err := filepath.WalkDir(filepath.Join(dir, entry.Name()), func(_ string, inner os.DirEntry, err error) error {
			if err != nil || inner.IsDir() {
				return err
			}
			info, err := inner.Info()
			if err == nil {
				total += info.Size()
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if total > 0 {
			files = append(files, fileFigures{Name: entry.Name(), Bytes: total})
		}
	}
	slices.SortFunc(files, func(a, b fileFigures) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return files, nil
}
