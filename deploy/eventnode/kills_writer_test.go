package eventnode_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"aftercare/deploy/eventnode/storage"
)

// sent is an append, and what came of it.
type sent struct {
	stream   string
	expected int64
	ids      [][16]byte
	data     [][]byte // nil: what content makes of the ids
	own      bool     // nobody else writes to the stream: it must succeed
}

// writer appends to streams of its own and to those that all share. Only its own goroutine uses it.
type writer struct {
	rng      *rand.Rand
	number   int
	streams  int              // how many of its own it has begun
	last     map[string]int64 // revisions of its own streams that live
	names    []string         // of last
	open     *sent            // not answered
	removing string           // a stream whose removal was not answered
	tomb     bool
}

func newWriter(number int, seed uint64) *writer {
	return &writer{number: number, rng: rand.New(rand.NewPCG(seed, uint64(number)+1)), last: map[string]int64{}} //nolint:gosec // not a secret
}

// write appends until the node is gone. An error says that the node did something wrong.
func (w *writer) write(ctx context.Context, cc *grpc.ClientConn, h *chronicle, acked func()) error {
	client := streams.NewStreamsClient(cc)
	for {
		if w.removing == "" && w.open == nil && w.rng.IntN(20) == 0 && len(w.names) > 10 {
			i := w.rng.IntN(len(w.names))
			w.removing, w.tomb = w.names[i], w.rng.IntN(2) == 0
			w.names = slices.Delete(w.names, i, i+1)
			delete(w.last, w.removing)
		}
		if w.removing != "" {
			if gone, err := w.remove(ctx, client); gone || err != nil {
				return err
			}
			h.ended(w.removing)
			w.removing = ""
		}
		if w.open == nil {
			w.open = w.next(h)
			h.send(w.open)
		}
		res, err := appendRaw(ctx, client, w.open)
		if err != nil {
			if c := status.Code(err); c != codes.Unavailable && c != codes.Canceled {
				return fmt.Errorf("append to %s: %w", w.open.stream, err)
			}
			return nil
		}
		if err := w.answered(res, h); err != nil {
			return err
		}
		acked()
	}
}

func (w *writer) answered(res *streams.AppendResp, h *chronicle) error {
	s := w.open
	w.open = nil
	ok := res.GetSuccess()
	if ok == nil {
		h.refuse(s)
		if s.own {
			return fmt.Errorf("append of %d to %s at %d was refused: %v", len(s.ids), s.stream, s.expected, res)
		}
		return nil
	}
	revision := int64(ok.GetCurrentRevision()) //nolint:gosec // small
	if s.expected >= storage.NoStream && revision != s.expected+int64(len(s.ids)) {
		return fmt.Errorf("append of %d to %s at %d ended at revision %d", len(s.ids), s.stream, s.expected, revision)
	}
	if s.own {
		if _, known := w.last[s.stream]; !known {
			w.names = append(w.names, s.stream)
		}
		w.last[s.stream] = revision
	}
	h.acknowledge(s, revision, ok.GetPosition().GetCommitPosition())
	return nil
}

// next makes up an append.
func (w *writer) next(h *chronicle) *sent {
	s := &sent{expected: storage.Any, own: true}
	switch n := w.rng.IntN(10); {
	case n < 2 || len(w.names) == 0:
		s.stream, s.expected = fmt.Sprintf("own-%d-%d", w.number, w.streams), storage.NoStream
		w.streams++
	case n < 4:
		s.own = false
		s.stream = fmt.Sprintf("hot-%d", w.rng.IntN(4))
		if w.rng.IntN(2) == 0 {
			s.expected = h.guess(s.stream)
		}
	default:
		s.stream = w.names[w.rng.IntN(len(w.names))]
		s.expected = []int64{storage.Any, storage.StreamExists, w.last[s.stream]}[w.rng.IntN(3)]
	}
	events := 1
	if w.rng.IntN(3) == 0 {
		events = 1 + w.rng.IntN(20)
	}
	for total := 0; len(s.ids) < events && total < 900<<10; {
		var id [16]byte
		binary.LittleEndian.PutUint64(id[:], w.rng.Uint64())
		binary.LittleEndian.PutUint64(id[8:], w.rng.Uint64())
		s.ids = append(s.ids, id)
		total += contentSize(id)
	}
	return s
}

// remove deletes a stream, or ends it for ever. Gone says that the node is.
func (w *writer) remove(ctx context.Context, client streams.StreamsClient) (gone bool, err error) {
	id := &shared.StreamIdentifier{StreamName: []byte(w.removing)}
	if w.tomb {
		_, err = client.Tombstone(ctx, &streams.TombstoneReq{Options: &streams.TombstoneReq_Options{
			StreamIdentifier: id, ExpectedStreamRevision: &streams.TombstoneReq_Options_Any{Any: &shared.Empty{}},
		}})
	} else {
		_, err = client.Delete(ctx, &streams.DeleteReq{Options: &streams.DeleteReq_Options{
			StreamIdentifier: id, ExpectedStreamRevision: &streams.DeleteReq_Options_Any{Any: &shared.Empty{}},
		}})
	}
	switch c := status.Code(err); {
	case err == nil:
		return false, nil
	case c == codes.Unavailable || c == codes.Canceled:
		return true, nil
	case c == codes.FailedPrecondition && w.tomb: // it had been done before the node was killed
		return false, nil
	default:
		return false, fmt.Errorf("remove %s: %w", w.removing, err)
	}
}

// contentSize is how long the data of the event called id are: most are short, some up to 100 KiB.
func contentSize(id [16]byte) int {
	n := int(binary.LittleEndian.Uint32(id[8:]))
	switch id[0] % 64 {
	case 0:
		return n % (100 << 10)
	case 1, 2, 3, 4, 5, 6, 7, 8:
		return n % (4 << 10)
	default:
		return n % 300
	}
}

// content makes the data of the event called id.
func content(id [16]byte) []byte {
	b := make([]byte, contentSize(id))
	for i := range b {
		b[i] = id[i%16] ^ byte(i>>4)
	}
	return b
}

// appendRaw sends an append without the official client, which may hang for ever when its node is gone.
func appendRaw(ctx context.Context, client streams.StreamsClient, q *sent) (*streams.AppendResp, error) {
	s, err := client.Append(ctx)
	if err != nil {
		return nil, err
	}
	o := &streams.AppendReq_Options{StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(q.stream)}}
	switch q.expected {
	case storage.Any:
		o.ExpectedStreamRevision = &streams.AppendReq_Options_Any{Any: &shared.Empty{}}
	case storage.NoStream:
		o.ExpectedStreamRevision = &streams.AppendReq_Options_NoStream{NoStream: &shared.Empty{}}
	case storage.StreamExists:
		o.ExpectedStreamRevision = &streams.AppendReq_Options_StreamExists{StreamExists: &shared.Empty{}}
	default:
		o.ExpectedStreamRevision = &streams.AppendReq_Options_Revision{Revision: uint64(q.expected)} //nolint:gosec // not negative
	}
	_ = s.Send(&streams.AppendReq{Content: &streams.AppendReq_Options_{Options: o}}) // the answer says why it failed
	for i, id := range q.ids {
		data := content(id)
		if q.data != nil {
			data = q.data[i]
		}
		_ = s.Send(&streams.AppendReq{Content: &streams.AppendReq_ProposedMessage_{ProposedMessage: &streams.AppendReq_ProposedMessage{
			Id: &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{
				MostSignificantBits:  int64(binary.BigEndian.Uint64(id[:8])), //nolint:gosec // same bits
				LeastSignificantBits: int64(binary.BigEndian.Uint64(id[8:])), //nolint:gosec // same bits
			}}},
			Data: data, Metadata: map[string]string{"type": "noted", "content-type": "application/octet-stream"},
		}}})
	}
	return s.CloseAndRecv()
}
