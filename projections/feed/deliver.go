package feed

import (
	"context"

	"github.com/ThreeDotsLabs/watermill/message"
)

// flight is an item on its way: a message of it was made and perhaps handed out.
type flight struct {
	item   item
	msg    *message.Message
	cancel context.CancelFunc
}

// aheadBytes bounds the payloads in flight, however many messages Ahead allows: one event may have as much as 1 MiB.
const aheadBytes = 64 << 20

// deliver hands items out in order, at most Ahead of them without an ack. The oldest one in flight decides: its ack makes
// room, its nack takes all back.
func (s *Subscriber) deliver(ctx context.Context, items queue, out chan<- *message.Message) {
	var (
		flights []flight
		sent    int
		bytes   int // of the payloads in flight
	)
	for {
		var (
			in            = items.items
			next          chan<- *message.Message
			msg           *message.Message
			acked, nacked <-chan struct{}
		)
		if sent < len(flights) {
			next, msg = out, flights[sent].msg
		}
		if sent < len(flights) || len(flights) >= s.options.Ahead || bytes >= aheadBytes {
			in = nil
		}
		if sent > 0 {
			acked, nacked = flights[0].msg.Acked(), flights[0].msg.Nacked()
		}
		select {
		case it, ok := <-in:
			if !ok {
				return
			}
			items.took(it)
			bytes += len(it.event.Data)
			flights = append(flights, s.launch(ctx, it))
		case next <- msg:
			sent++
		case <-acked:
			flights[0].cancel()
			bytes -= len(flights[0].item.event.Data)
			flights[0] = flight{}
			flights = flights[1:]
			sent--
		case <-nacked:
			for i := range sent {
				flights[i].cancel()
			}
			if !sleep(ctx, s.options.NackDelay) {
				return
			}
			for i := range sent {
				flights[i] = s.launch(ctx, flights[i].item)
			}
			sent = 0
		case <-ctx.Done():
			return
		}
	}
}

func (s *Subscriber) launch(ctx context.Context, it item) flight {
	var m *message.Message
	if it.progress != 0 {
		m = newProgress(it.progress, it.position)
	} else {
		m = s.options.Unmarshal(it.event)
	}
	ctx, cancel := context.WithCancel(ctx)
	m.SetContext(ctx)
	return flight{it, m, cancel}
}
