package eventnode_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"aftercare/deploy/eventnode"
	"aftercare/deploy/eventnode/storage"
)

func sample() storage.Record {
	return storage.Record{
		Position: 4711, Flags: 3, Revision: 9, Created: 17e15, ID: uuid.MustParse("0190b3a4-8f0e-7cc3-98c4-dc0c0c07398f"),
		Stream: []byte("case-1"), Type: []byte("case.opened.v1"), Metadata: []byte(`{"a":1}`), Data: []byte(`{"b":2}`),
	}
}

func recorded(r *storage.Record, stringIDs bool) *streams.ReadResp_ReadEvent_RecordedEvent {
	id := &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{
		MostSignificantBits:  int64(binary.BigEndian.Uint64(r.ID[:8])), //nolint:gosec // same bits
		LeastSignificantBits: int64(binary.BigEndian.Uint64(r.ID[8:])), //nolint:gosec // same bits
	}}}
	if stringIDs {
		id = &shared.UUID{Value: &shared.UUID_String_{String_: uuid.UUID(r.ID).String()}}
	}
	content := "application/octet-stream"
	if r.Flags&1 != 0 {
		content = "application/json"
	}
	return &streams.ReadResp_ReadEvent_RecordedEvent{
		Id: id, StreamIdentifier: &shared.StreamIdentifier{StreamName: r.Stream}, StreamRevision: uint64(r.Revision), //nolint:gosec // not negative
		PreparePosition: r.Position, CommitPosition: r.Position, CustomMetadata: r.Metadata, Data: r.Data,
		Metadata: map[string]string{"type": string(r.Type), "content-type": content, "created": strconv.FormatInt(r.Created, 10)},
	}
}

func TestHandEncodedEventsAreWhatTheProtocolSays(t *testing.T) {
	t.Parallel()
	plain, big := sample(), sample()
	big.Data, big.Flags, big.Revision, big.Position = bytes.Repeat([]byte("x"), 17_000), 0, math.MaxInt64, 1<<40
	empty := storage.Record{Position: 64, Stream: []byte("s"), Type: []byte{}, Metadata: []byte{}, Data: []byte{}}
	for name, tc := range map[string]struct {
		event, link *storage.Record
		stringIDs   bool
	}{
		"plain":           {event: &plain},
		"string ids":      {event: &plain, stringIDs: true},
		"large":           {event: &big},
		"empty":           {event: &empty},
		"link":            {event: &big, link: &plain},
		"link to nothing": {link: &plain},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got streams.ReadResp
			if err := proto.Unmarshal(eventnode.EncodeEvent(tc.event, tc.link, tc.stringIDs), &got); err != nil {
				t.Fatal(err)
			}
			want := &streams.ReadResp_ReadEvent{}
			for _, r := range []*storage.Record{tc.event, tc.link} {
				if r != nil { // the link comes last: the position is its
					want.Position = &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: r.Position}
				}
			}
			if tc.event != nil {
				want.Event = recorded(tc.event, tc.stringIDs)
			}
			if tc.link != nil {
				want.Link = recorded(tc.link, tc.stringIDs)
			}
			if diff := cmp.Diff(want, got.GetEvent(), protocmp.Transform()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
