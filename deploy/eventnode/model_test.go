package eventnode_test

import (
	"context"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"pgregory.net/rapid"

	"aftercare/deploy/eventnode"
	"aftercare/deploy/eventnode/crashtest"
	"aftercare/deploy/eventnode/storage"
)

// TestAnswersFollowTheModel makes changes over gRPC and compares every answer, and what is read, with the model.
func TestAnswersFollowTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &wireModel{model: crashtest.NewModel()}
		m.open(t)
		defer func() { m.close(t) }()
		t.Repeat(map[string]func(*rapid.T){
			"append": m.append,
			"remove": m.remove,
			"":       m.ends,
		})
	})
}

type wireModel struct {
	model *crashtest.Model
	node  *eventnode.Node
	ended chan error
	conn  *grpc.ClientConn
}

func (m *wireModel) open(t *rapid.T) {
	var err error
	if m.node, err = eventnode.Open(eventnode.Options{InMemory: true}); err != nil {
		t.Fatalf("open: %v", err)
	}
	m.ended = make(chan error, 1)
	go func() { m.ended <- m.node.Run(context.Background()) }()
	if m.conn, err = grpc.NewClient(m.node.Addr(), grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
		t.Fatal(err)
	}
}

func (m *wireModel) close(t *rapid.T) {
	_ = m.conn.Close()
	if err := m.node.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := <-m.ended; err != nil {
		t.Errorf("run: %v", err)
	}
}

func (m *wireModel) append(t *rapid.T) {
	q := m.model.Draw(t, storage.Append)
	verdict, revision := m.model.Apply(q)
	s := &sent{stream: q.Stream, expected: q.Expected}
	for _, e := range q.Events {
		s.ids, s.data = append(s.ids, e.ID), append(s.data, e.Data)
	}
	res, err := appendRaw(context.Background(), streams.NewStreamsClient(m.conn), s)
	got, at := storage.Written, int64(-1)
	switch {
	case status.Code(err) == codes.FailedPrecondition:
		got, at = storage.Deleted, revision
	case err != nil:
		t.Fatalf("append: %v", err)
	case res.GetWrongExpectedVersion() != nil:
		got = storage.WrongRevision
		if w, ok := res.GetWrongExpectedVersion().GetCurrentRevisionOption().(*streams.AppendResp_WrongExpectedVersion_CurrentRevision); ok {
			at = int64(w.CurrentRevision) //nolint:gosec // small
		}
	default:
		if w, ok := res.GetSuccess().GetCurrentRevisionOption().(*streams.AppendResp_Success_CurrentRevision); ok {
			at = int64(w.CurrentRevision) //nolint:gosec // small
		}
	}
	if verdict == storage.Repeated { // looks like the first time
		verdict = storage.Written
	}
	if got != verdict || at != revision {
		t.Fatalf("append of %d to %s at %d: got %d at %d, want %d at %d", len(q.Events), q.Stream, q.Expected, got, at, verdict, revision)
	}
}

func (m *wireModel) remove(t *rapid.T) {
	q := m.model.Draw(t, storage.Delete, storage.Delete, storage.Tombstone)
	verdict, _ := m.model.Apply(q)
	client, id := streams.NewStreamsClient(m.conn), &shared.StreamIdentifier{StreamName: []byte(q.Stream)}
	var err error
	none := &shared.Empty{}
	if q.Kind == storage.Delete {
		o := &streams.DeleteReq_Options{StreamIdentifier: id}
		switch q.Expected {
		case storage.Any:
			o.ExpectedStreamRevision = &streams.DeleteReq_Options_Any{Any: none}
		case storage.NoStream:
			o.ExpectedStreamRevision = &streams.DeleteReq_Options_NoStream{NoStream: none}
		case storage.StreamExists:
			o.ExpectedStreamRevision = &streams.DeleteReq_Options_StreamExists{StreamExists: none}
		default:
			o.ExpectedStreamRevision = &streams.DeleteReq_Options_Revision{Revision: uint64(q.Expected)} //nolint:gosec // not negative
		}
		_, err = client.Delete(context.Background(), &streams.DeleteReq{Options: o})
	} else {
		o := &streams.TombstoneReq_Options{StreamIdentifier: id}
		switch q.Expected {
		case storage.Any:
			o.ExpectedStreamRevision = &streams.TombstoneReq_Options_Any{Any: none}
		case storage.NoStream:
			o.ExpectedStreamRevision = &streams.TombstoneReq_Options_NoStream{NoStream: none}
		case storage.StreamExists:
			o.ExpectedStreamRevision = &streams.TombstoneReq_Options_StreamExists{StreamExists: none}
		default:
			o.ExpectedStreamRevision = &streams.TombstoneReq_Options_Revision{Revision: uint64(q.Expected)} //nolint:gosec // not negative
		}
		_, err = client.Tombstone(context.Background(), &streams.TombstoneReq{Options: o})
	}
	if (status.Code(err) == codes.FailedPrecondition) != (verdict != storage.Written) || err != nil && status.Code(err) != codes.FailedPrecondition {
		t.Fatalf("removal %d of %s at %d: got %v, want %d", q.Kind, q.Stream, q.Expected, err, verdict)
	}
}

// ends reads the last event of every stream.
func (m *wireModel) ends(t *rapid.T) {
	for _, name := range m.model.Streams() {
		want := int64(len(m.model.Events(name)) - 1)
		got := int64(-1)
		err := readStreamRaw(context.Background(), m.conn, name, true, 1, func(_ uint64, f fact, _ []byte) error {
			got = f.revision
			return nil
		})
		gone := m.model.Ended(name) || crashtest.IsMeta(name) && m.model.Ended(name[2:])
		if m.model.First(name) > want { // all of it
			want = -1
		}
		hidden := !crashtest.IsMeta(name) && m.model.Hidden(name)
		switch {
		case gone && status.Code(err) == codes.FailedPrecondition:
		case hidden && err == nil && got == -1:
		case gone || hidden || err != nil || got != want:
			t.Fatalf("%s ends at %d (%v), want %d, ended %v, hidden %v", name, got, err, want, gone, hidden)
		}
	}
}
