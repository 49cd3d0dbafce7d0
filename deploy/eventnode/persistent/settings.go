package persistent

import (
	"errors"
	"fmt"
	"time"
)

// Strategy is how a group chooses among its consumers.
type Strategy uint8

// The strategies of EventStoreDB.
const (
	// RoundRobin gives each event to the next consumer that has room.
	RoundRobin Strategy = iota + 1
	// DispatchToSingle gives events to one consumer until it has no room.
	DispatchToSingle
	// Pinned gives all events of a stream to the same consumer while it stays.
	Pinned
	// PinnedByCorrelation does so with events of the same correlation id.
	PinnedByCorrelation
)

var strategyNames = map[Strategy]string{
	RoundRobin: "RoundRobin", DispatchToSingle: "DispatchToSingle",
	Pinned: "Pinned", PinnedByCorrelation: "PinnedByCorrelation",
}

// String is the name of the strategy on the wire.
func (s Strategy) String() string { return strategyNames[s] }

// ParseStrategy is the inverse of String.
func ParseStrategy(name string) (Strategy, error) {
	for s, n := range strategyNames {
		if n == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("Consumer strategy %s does not exist.", name) //nolint:revive,staticcheck // clients are shown this sentence
}

// defaultBatch is how many events are read at once when the settings do not say.
const defaultBatch = 20

// Settings are what a group is created with.
type Settings struct {
	// ResolveLinks delivers the targets of links.
	ResolveLinks bool
	// ExtraStatistics measures how long consumers take.
	ExtraStatistics bool
	// MessageTimeout is how long a consumer may take. After 0 an event goes back with the next tick.
	MessageTimeout time.Duration
	// MaxRetryCount is how often an event is delivered again before it is parked.
	MaxRetryCount int
	// LiveBufferSize is stored and shown, but not used: a group has one buffer.
	LiveBufferSize int
	// HistoryBufferSize bounds the events that wait in the group.
	HistoryBufferSize int
	// ReadBatchSize is how many events are read at once. Defaults to 20.
	ReadBatchSize int
	// CheckpointAfter is the least time between two checkpoints, unless MaxCheckpointCount demands one.
	// 0 means that only MaxCheckpointCount does.
	CheckpointAfter time.Duration
	// MinCheckpointCount is how many events must be finished for a checkpoint.
	MinCheckpointCount int
	// MaxCheckpointCount is how many events are finished at most without one.
	MaxCheckpointCount int
	// MaxSubscriberCount bounds the consumers. 0 means no bound.
	MaxSubscriberCount int
	// Strategy chooses the consumer of an event.
	Strategy Strategy
}

// Validate returns why no group can have these settings.
func (s Settings) Validate() error {
	for _, n := range []struct {
		name  string
		value int
	}{
		{"MaxRetryCount", s.MaxRetryCount},
		{"LiveBufferSize", s.LiveBufferSize},
		{"BufferSize", s.HistoryBufferSize},
		{"ReadBatchSize", s.ReadBatchSize},
		{"MinCheckPointCount", s.MinCheckpointCount},
		{"MaxCheckPointCount", s.MaxCheckpointCount},
		{"MaxSubscriberCount", s.MaxSubscriberCount},
		{"MessageTimeout", int(s.MessageTimeout)},
		{"CheckPointAfter", int(s.CheckpointAfter)},
	} {
		if n.value < 0 {
			return fmt.Errorf("%s may not be negative", n.name)
		}
	}
	if s.ReadBatchSize >= s.HistoryBufferSize {
		return errors.New("ReadBatchSize may not be greater than or equal to BufferSize")
	}
	if s.Strategy.String() == "" {
		return errors.New("there is no consumer strategy")
	}
	return nil
}

// batch is how many events are read at once.
func (s Settings) batch() int {
	if s.ReadBatchSize == 0 {
		return min(defaultBatch, s.HistoryBufferSize)
	}
	return s.ReadBatchSize
}
