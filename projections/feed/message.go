package feed

import (
	"fmt"
	"strconv"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"aftercare/domain"
	"aftercare/domain/codec"
)

// Keys of a message's metadata. The message's UUID is the event's id and its payload the event's data as stored.
const (
	KeyStream     = "stream"
	KeyRevision   = "revision"
	KeyCommit     = "commit_position"
	KeyPrepare    = "prepare_position"
	KeyType       = "type"
	KeyRecordedAt = "recorded_at"
	// KeyMetadata is the event's own metadata as stored.
	KeyMetadata = "metadata"
	// KeyProgress marks a message without an event: see Progress.
	KeyProgress = "progress"
)

// Progress says that everything up to the position of the message was delivered, also where the log holds nothing for the
// topic.
type Progress uint8

// The kinds of progress.
const (
	// Passed means that events that are not of the topic were passed over.
	Passed Progress = iota + 1
	// Live means that the end of the log was reached.
	Live
)

// String returns the value of KeyProgress.
func (p Progress) String() string {
	switch p {
	case Passed:
		return "passed"
	case Live:
		return "live"
	}
	return ""
}

// ProgressOf returns what kind of progress a message is, 0 for a message with an event.
func ProgressOf(m *message.Message) Progress {
	switch m.Metadata[KeyProgress] {
	case "passed":
		return Passed
	case "live":
		return Live
	}
	return 0
}

// NewMessage returns the event as a message.
func NewMessage(e codec.Raw) *message.Message {
	m := message.NewMessage(e.ID.String(), e.Data)
	setPosition(m, e.Position)
	m.Metadata[KeyStream] = e.Stream
	m.Metadata[KeyRevision] = strconv.FormatUint(e.Revision, 10)
	m.Metadata[KeyType] = e.Type
	m.Metadata[KeyRecordedAt] = e.RecordedAt.Format(time.RFC3339Nano)
	m.Metadata[KeyMetadata] = string(e.Metadata)
	return m
}

func newProgress(p Progress, at domain.Position) *message.Message {
	m := message.NewMessage(fmt.Sprintf("C:%d/P:%d", at.Commit, at.Prepare), nil)
	setPosition(m, at)
	m.Metadata[KeyProgress] = p.String()
	return m
}

func setPosition(m *message.Message, p domain.Position) {
	m.Metadata[KeyCommit] = strconv.FormatUint(p.Commit, 10)
	m.Metadata[KeyPrepare] = strconv.FormatUint(p.Prepare, 10)
}

// PositionOf returns the position of a message.
func PositionOf(m *message.Message) (domain.Position, error) {
	commit, err := strconv.ParseUint(m.Metadata[KeyCommit], 10, 64)
	if err != nil {
		return domain.Position{}, fmt.Errorf("read the commit position of message %s: %w", m.UUID, err)
	}
	prepare, err := strconv.ParseUint(m.Metadata[KeyPrepare], 10, 64)
	if err != nil {
		return domain.Position{}, fmt.Errorf("read the prepare position of message %s: %w", m.UUID, err)
	}
	return domain.Position{Commit: commit, Prepare: prepare}, nil
}

// Event returns the event of a message.
func Event(m *message.Message) (codec.Raw, error) {
	at, err := PositionOf(m)
	if err != nil {
		return codec.Raw{}, err
	}
	id, err := domain.ParseUUID(m.UUID)
	if err != nil {
		return codec.Raw{}, fmt.Errorf("read the id of message %s: %w", m.UUID, err)
	}
	revision, err := strconv.ParseUint(m.Metadata[KeyRevision], 10, 64)
	if err != nil {
		return codec.Raw{}, fmt.Errorf("read the revision of message %s: %w", m.UUID, err)
	}
	recorded, err := time.Parse(time.RFC3339Nano, m.Metadata[KeyRecordedAt])
	if err != nil {
		return codec.Raw{}, fmt.Errorf("read the time of message %s: %w", m.UUID, err)
	}
	return codec.Raw{
		ID: id, Stream: m.Metadata[KeyStream], Revision: revision, Position: at, RecordedAt: recorded,
		Type: m.Metadata[KeyType], Data: m.Payload, Metadata: []byte(m.Metadata[KeyMetadata]),
	}, nil
}
