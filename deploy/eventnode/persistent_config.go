package eventnode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	wire "github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protojson"

	"aftercare/deploy/eventnode/persistent"
	"aftercare/deploy/eventnode/storage"
)

// configStream keeps the definitions of persistent subscription groups, the newest event all of them.
const configStream = "$persistentSubscriptionConfig"

// configVersion is the version of the form that EventStoreDB stores definitions in.
const configVersion = "2"

// configTries bounds how far back a definition of groups is looked for that can be read.
const configTries = 100

// groupConfig is the stored form of all definitions.
type groupConfig struct {
	Version string       `json:"version"`
	Updated time.Time    `json:"updated"`
	Entries []groupEntry `json:"entries"`
}

// groupEntry is the stored form of one group. Created and Finished are this node's own.
type groupEntry struct {
	Stream                string       `json:"stream"`
	Group                 string       `json:"group"`
	Filter                *filterEntry `json:"filter,omitempty"`
	ResolveLinkTos        bool         `json:"resolveLinkTos,omitempty"`
	ExtraStatistics       bool         `json:"extraStatistics,omitempty"`
	MessageTimeout        int32        `json:"messageTimeout,omitempty"`
	StartPosition         string       `json:"startPosition"`
	LiveBufferSize        int32        `json:"liveBufferSize,omitempty"`
	HistoryBufferSize     int32        `json:"historyBufferSize,omitempty"`
	MaxRetryCount         int32        `json:"maxRetryCount,omitempty"`
	ReadBatchSize         int32        `json:"readBatchSize,omitempty"`
	CheckPointAfter       int32        `json:"checkPointAfter,omitempty"`
	MinCheckPointCount    int32        `json:"minCheckPointCount,omitempty"`
	MaxCheckPointCount    int32        `json:"maxCheckPointCount,omitempty"`
	MaxSubscriberCount    int32        `json:"maxSubscriberCount,omitempty"`
	NamedConsumerStrategy string       `json:"namedConsumerStrategy"`
	// Created is where the log ended when the group was made: what is stored under its name in front of
	// that belongs to an earlier group.
	Created uint64 `json:"created,omitempty"`
	// Finished is the position that a group that starts at the end continues behind. Without it the group
	// would start at another end with each start of the node.
	Finished *int64 `json:"finished,omitempty"`
}

// filterEntry is the stored form of a filter. Data joins prefixes with commas; Prefixes has them as they are.
type filterEntry struct {
	Context     string   `json:"context"` // "streamid" or "eventtype"
	Type        string   `json:"type"`    // "regex" or "prefix"
	Data        string   `json:"data"`
	IsAllStream bool     `json:"isAllStream"`
	Prefixes    []string `json:"prefixes,omitempty"`
}

const (
	filterStreams = "streamid"
	filterTypes   = "eventtype"
	filterRegex   = "regex"
	filterPrefix  = "prefix"
)

func groupKey(stream, group string) string { return stream + "::" + group }

func (e *groupEntry) key() string { return groupKey(e.Stream, e.Group) }

// The streams of a group.
// groupStreams is how the names of the streams begin in which groups keep what they know.
const groupStreams = "$persistentsubscription-"

func checkpointStream(key string) string { return groupStreams + key + "-checkpoint" }
func parkedStream(key string) string     { return groupStreams + key + "-parked" }

// settings returns what the engine needs, or why there is no such group.
func (e *groupEntry) settings() (persistent.Settings, error) {
	strategy, err := persistent.ParseStrategy(e.NamedConsumerStrategy)
	if err != nil {
		return persistent.Settings{}, err
	}
	s := persistent.Settings{
		ResolveLinks:       e.ResolveLinkTos,
		ExtraStatistics:    e.ExtraStatistics,
		MessageTimeout:     time.Duration(e.MessageTimeout) * time.Millisecond,
		MaxRetryCount:      int(e.MaxRetryCount),
		LiveBufferSize:     int(e.LiveBufferSize),
		HistoryBufferSize:  int(e.HistoryBufferSize),
		ReadBatchSize:      int(e.ReadBatchSize),
		CheckpointAfter:    time.Duration(e.CheckPointAfter) * time.Millisecond,
		MinCheckpointCount: int(e.MinCheckPointCount),
		MaxCheckpointCount: int(e.MaxCheckPointCount),
		MaxSubscriberCount: int(e.MaxSubscriberCount),
		Strategy:           strategy,
	}
	return s, s.Validate()
}

// loadGroups returns the newest definitions that can be read. What cannot be read was not written by a node.
func loadGroups(st *storage.Store, unreadable func(error)) ([]groupEntry, error) {
	info, err := st.Stream(configStream)
	if err != nil {
		return nil, fmt.Errorf("load persistent subscriptions: %w", err)
	}
	rd := st.Reader()
	for revision := info.Last; revision >= 0 && revision > info.Last-configTries; revision-- {
		r, ok, err := st.Record(rd, configStream, revision)
		if err != nil {
			return nil, fmt.Errorf("load persistent subscriptions: %w", err)
		}
		if !ok {
			continue
		}
		entries, err := decodeGroups(r.Data)
		if err == nil {
			return entries, nil
		}
		unreadable(fmt.Errorf("revision %d: %w", revision, err))
	}
	return nil, nil
}

// decodeGroups reads the stored form, or the one of nodes that only kept definitions: the requests that
// created them, by key.
func decodeGroups(data []byte) ([]groupEntry, error) {
	var c groupConfig
	if err := json.Unmarshal(data, &c); err == nil && c.Version != "" {
		return c.Entries, nil
	}
	var requests map[string]json.RawMessage
	if err := json.Unmarshal(data, &requests); err != nil {
		return nil, fmt.Errorf("decode groups: %w", err)
	}
	entries := make([]groupEntry, 0, len(requests))
	for key, raw := range requests {
		if !strings.Contains(key, "::") {
			return nil, errors.New("decode groups: it is neither a list of groups nor one of requests")
		}
		var o wire.CreateReq_Options
		if err := protojson.Unmarshal(raw, &o); err != nil {
			return nil, fmt.Errorf("decode group %s: %w", key, err)
		}
		e, err := createdEntry(&o)
		if err != nil {
			return nil, fmt.Errorf("decode group %s: %w", key, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// saveGroups stores definitions. It does not end early: whether they are on disk must be known.
func saveGroups(ctx context.Context, st *storage.Store, entries []groupEntry, now time.Time) error {
	ctx = context.WithoutCancel(ctx)
	meta, err := st.Stream("$$" + configStream)
	if err != nil {
		return fmt.Errorf("store persistent subscriptions: %w", err)
	}
	if meta.Last < 0 {
		if err := write(ctx, st, "$$"+configStream, "$metadata", []byte(`{"$maxCount":2}`)); err != nil {
			return err
		}
	}
	data, err := json.Marshal(groupConfig{Version: configVersion, Updated: now.UTC(), Entries: entries})
	if err != nil {
		return fmt.Errorf("encode groups: %w", err)
	}
	return write(ctx, st, configStream, "$PersistentConfig", data)
}

// write appends one event of JSON that the node itself has to say.
func write(ctx context.Context, st *storage.Store, stream, kind string, data []byte) error {
	res, err := st.Write(ctx, &storage.Request{
		Kind: storage.Append, Stream: stream, Expected: storage.Any,
		Events: []storage.Record{{ID: uuid.New(), Type: []byte(kind), Data: data, Flags: storage.FlagJSON}},
	})
	if err != nil {
		return fmt.Errorf("write to %s: %w", stream, err)
	}
	if res.Verdict != storage.Written {
		return fmt.Errorf("write to %s: it is deleted", stream)
	}
	return nil
}
