package reaction

import (
	"context"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"aftercare/commands"
	"aftercare/domain"
)

// subscriber is the log as a Watermill subscriber. The topic is the beginning of the types of the events. It starts at the beginning of the
// log and hands out one message after another: the next when the one before was acked, and the same once more when it was nacked.
type subscriber struct {
	follower commands.Follower

	stop  context.CancelFunc
	ended chan struct{} // closed when there will be no more
	err   error         // why; it may be read then
}

// nackPause is how long a message that was nacked waits.
const nackPause = time.Second

// Subscribe implements message.Subscriber. It may be called once.
func (s *subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	ctx, s.stop = context.WithCancel(ctx)
	s.ended = make(chan struct{})
	out := make(chan *message.Message)
	go func() {
		defer close(s.ended)
		defer close(out)
		s.err = s.follower.Follow(ctx, domain.Position{}, []string{topic}, func(batch []domain.Recorded, live bool) error {
			for i := range batch {
				if err := hand(ctx, out, item{event: &batch[i], live: live && i == len(batch)-1}); err != nil {
					return err
				}
			}
			if len(batch) == 0 {
				return hand(ctx, out, item{live: live})
			}
			return nil
		})
	}()
	return out, nil
}

// Close implements message.Subscriber.
func (s *subscriber) Close() error {
	if s.ended != nil {
		s.stop()
		<-s.ended
	}
	return nil
}

// item is what a message carries. It is decoded already and does not leave the process, so the payload stays empty.
type item struct {
	// event is nil where only live is told.
	event *domain.Recorded
	// live says that the end of the log was reached.
	live bool
}

type itemKey struct{}

func itemOf(m *message.Message) item {
	it, _ := m.Context().Value(itemKey{}).(item)
	return it
}

// hand hands out a message until it is acked.
func hand(ctx context.Context, out chan<- *message.Message, it item) error {
	id := "live"
	if it.event != nil {
		id = it.event.ID.String()
	}
	for {
		m := message.NewMessage(id, nil)
		m.SetContext(context.WithValue(ctx, itemKey{}, it))
		select {
		case out <- m:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-m.Acked():
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-m.Nacked():
		}
		timer := time.NewTimer(nackPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}
