package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

const (
	groupAppends = 1024
	groupBytes   = 8 << 20
)

// bareLoop is the least that durable appends need: writers hand bytes to one goroutine, which writes and syncs those that wait
// and then tells their writers.
type bareLoop struct {
	dir string
	// recordBytes is how many bytes the node writes for one event.
	recordBytes int
}

func (b bareLoop) name() string { return "bare loop" }
func (b bareLoop) pid() int     { return 0 }

func (b bareLoop) open(_ context.Context, l load) (session, error) {
	file, err := os.Create(filepath.Join(b.dir, fmt.Sprintf("bare-%d.log", l.run)))
	if err != nil {
		return nil, err
	}
	s := &bareSession{file: file, queue: make(chan bareAppend, groupAppends), acks: make([]chan error, l.writers)}
	for w := range s.acks {
		s.acks[w] = make(chan error, 1)
	}
	s.bytes = make([]byte, b.recordBytes*l.batch)
	for i := range s.bytes {
		s.bytes[i] = payload[i%len(payload)]
	}
	s.loop.Go(s.run)
	return s, nil
}

type bareAppend struct {
	bytes []byte
	ack   chan<- error
}

type bareSession struct {
	file  *os.File
	bytes []byte
	queue chan bareAppend
	acks  []chan error
	loop  sync.WaitGroup
}

func (s *bareSession) append(_ context.Context, writer int) error {
	s.queue <- bareAppend{s.bytes, s.acks[writer]}
	return <-s.acks[writer]
}

// run writes groups until the queue is closed.
func (s *bareSession) run() {
	var buffer []byte
	var waiting []chan<- error
	for first := range s.queue {
		buffer = append(buffer[:0], first.bytes...)
		waiting = append(waiting[:0], first.ack)
	collect:
		for len(waiting) < groupAppends && len(buffer) < groupBytes {
			select {
			case next, ok := <-s.queue:
				if !ok {
					break collect
				}
				buffer = append(buffer, next.bytes...)
				waiting = append(waiting, next.ack)
			default:
				break collect
			}
		}
		_, err := s.file.Write(buffer)
		if err == nil {
			err = syncData(s.file)
		}
		for _, ack := range waiting {
			ack <- err
		}
	}
}

func (s *bareSession) close(context.Context) error {
	close(s.queue)
	s.loop.Wait()
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}
