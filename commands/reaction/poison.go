package reaction

import (
	"log/slog"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"github.com/prometheus/client_golang/prometheus"
)

// poison takes what a reaction could not. It tells: in the log, and as a figure. It keeps nothing, since the event stays where it is, in the
// event store, and a reaction without a checkpoint is given it again at its next start.
type poison struct {
	reaction string
	logger   *slog.Logger
	count    prometheus.Counter
}

func newPoison(i intake) poison {
	p := poison{reaction: i.name, logger: i.logger, count: prometheus.NewCounter(prometheus.CounterOpts{})}
	if i.figures == nil {
		return p
	}
	all := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "aftercare_reaction_poisoned_total", Help: "Events that a reaction could not take and went on without.",
	}, []string{"reaction"})
	if err := i.figures.Register(all); err != nil {
		there, ok := err.(prometheus.AlreadyRegisteredError) //nolint:errorlint // it is returned as it is
		if !ok {
			return p // its name is another's: a mistake of ours that costs a figure
		}
		all = there.ExistingCollector.(*prometheus.CounterVec)
	}
	p.count = all.WithLabelValues(i.name)
	return p
}

// Publish implements message.Publisher.
func (p poison) Publish(_ string, messages ...*message.Message) error {
	for _, m := range messages {
		p.count.Inc()
		e := itemOf(m).event
		if e == nil {
			continue
		}
		p.logger.ErrorContext(m.Context(), "a reaction goes on without an event", "reaction", p.reaction, "stream", e.Stream,
			"revision", e.Revision, "type", e.Type, "position", e.Position.Commit, "error", m.Metadata[middleware.ReasonForPoisonedKey])
	}
	return nil
}

// Close implements message.Publisher.
func (poison) Close() error { return nil }
