package eventnode

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"time"

	wire "github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"

	"aftercare/deploy/eventnode/persistent"
)

// rates remembers what was shown last, to show what came since.
type rates struct {
	mu    sync.Mutex
	at    time.Time
	total int64
	sent  map[persistent.ConsumerID]int64
}

// since returns what came since it was asked last, and per second.
func (r *rates) since(now time.Time, info persistent.Info) (sinceTotal int64, sent map[persistent.ConsumerID]int64, seconds float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sinceTotal, sent = info.Total-r.total, map[persistent.ConsumerID]int64{}
	if !r.at.IsZero() {
		seconds = now.Sub(r.at).Seconds()
	}
	last := r.sent
	r.at, r.total, r.sent = now, info.Total, map[persistent.ConsumerID]int64{}
	for _, m := range info.Members {
		sent[m.ID] = m.Sent - last[m.ID]
		r.sent[m.ID] = m.Sent
	}
	return sinceTotal, sent, seconds
}

func perSecond(n int64, seconds float64) int32 {
	if seconds <= 0 {
		return 0
	}
	return int32(min(float64(n)/seconds, math.MaxInt32))
}

// GetInfo implements the service.
func (s *persistentService) GetInfo(ctx context.Context, req *wire.GetInfoReq) (*wire.GetInfoResp, error) {
	o := req.GetOptions()
	var stream string
	switch in := o.GetStreamOption().(type) {
	case *wire.GetInfoReq_Options_All:
		stream = streamAll
	case *wire.GetInfoReq_Options_StreamIdentifier:
		stream = string(in.StreamIdentifier.GetStreamName())
	default:
		return nil, errRequest
	}
	out := &wire.GetInfoResp{}
	return out, s.node.groups.do(stream, o.GetGroupName(), func(a *activeGroup) (err error) {
		out.SubscriptionInfo, err = s.info(ctx, a)
		return err
	})
}

// List implements the service: all groups, or those of a stream, of which there must be some.
func (s *persistentService) List(ctx context.Context, req *wire.ListReq) (*wire.ListResp, error) {
	var only string
	switch in := req.GetOptions().GetListOption().(type) {
	case *wire.ListReq_Options_ListAllSubscriptions:
	case *wire.ListReq_Options_ListForStream:
		switch o := in.ListForStream.GetStreamOption().(type) {
		case *wire.ListReq_StreamOption_All:
			only = streamAll
		case *wire.ListReq_StreamOption_Stream:
			only = string(o.Stream.GetStreamName())
		default:
			return nil, errRequest
		}
	default:
		return nil, errRequest
	}
	if err := s.node.groups.ready(); err != nil {
		return nil, err
	}
	out := &wire.ListResp{}
	for _, a := range s.node.groups.all() {
		if only != "" && a.entry.Stream != only {
			continue
		}
		info, err := s.info(ctx, a)
		if errors.Is(err, persistent.ErrDeleted) || errors.Is(err, persistent.ErrDropped) {
			continue // it was there a moment ago
		}
		if err != nil {
			return nil, groupError(&a.entry, err)
		}
		out.Subscriptions = append(out.Subscriptions, info)
	}
	if only != "" && len(out.Subscriptions) == 0 {
		return nil, groupMissing(only, "")
	}
	return out, nil
}

// info describes a group.
func (s *persistentService) info(ctx context.Context, a *activeGroup) (*wire.SubscriptionInfo, error) {
	st, err := a.runner.Info(ctx)
	if err != nil {
		return nil, err
	}
	first, end, err := parkedRange(s.node.store, a.entry.key())
	if err != nil {
		return nil, err
	}
	known, behind, err := s.known(a, st.Through)
	if err != nil {
		return nil, err
	}
	e := &a.entry
	total, sent, seconds := a.rates.since(s.node.opts.Now(), st)
	out := &wire.SubscriptionInfo{
		EventSource: e.Stream, GroupName: e.Group, Status: groupStatus(st, behind),
		AveragePerSecond: perSecond(total, seconds), TotalItems: st.Total, CountSinceLastMeasurement: total,
		LastKnownEventPosition: known, ResolveLinkTos: e.ResolveLinkTos, StartFrom: e.StartPosition,
		MessageTimeoutMilliseconds: e.MessageTimeout, ExtraStatistics: e.ExtraStatistics, MaxRetryCount: e.MaxRetryCount,
		LiveBufferSize: e.LiveBufferSize, BufferSize: e.HistoryBufferSize, ReadBatchSize: e.ReadBatchSize,
		CheckPointAfterMilliseconds: e.CheckPointAfter, MinCheckPointCount: e.MinCheckPointCount,
		MaxCheckPointCount: e.MaxCheckPointCount, ReadBufferCount: count(st.Fresh), RetryBufferCount: count(st.Retries),
		TotalInFlightMessages: count(st.InFlight), OutstandingMessagesCount: count(st.InFlight + st.Parking),
		NamedConsumerStrategy: e.NamedConsumerStrategy, MaxSubscriberCount: e.MaxSubscriberCount,
		ParkedMessageCount: end - min(max(first, st.Replayed), end),
	}
	if st.Stored {
		out.LastCheckpointedEventPosition = a.log.format(st.Saved)
	}
	for i, m := range st.Members {
		c := &wire.SubscriptionInfo_ConnectionInfo{
			From: st.Consumers[i].From, Username: st.Consumers[i].User, ConnectionName: st.Consumers[i].Name,
			AverageItemsPerSecond: perSecond(sent[m.ID], seconds), TotalItems: m.Sent, CountSinceLastMeasurement: sent[m.ID],
			AvailableSlots: count(m.Room), InFlightMessages: count(m.InFlight),
		}
		for _, f := range m.Measurements {
			c.ObservedMeasurements = append(c.ObservedMeasurements, &wire.SubscriptionInfo_Measurement{Key: f.Name, Value: f.Value})
		}
		out.Connections = append(out.Connections, c)
	}
	return out, nil
}

func count(n int) int32 { return int32(min(n, math.MaxInt32)) } //nolint:gosec // bounded just here

// known returns the last event that a group knows of, empty when there is none, and whether there are
// some that it has not read.
func (s *persistentService) known(a *activeGroup, through int64) (known string, behind bool, err error) {
	last := position(s.node.store.Last())
	if a.entry.Stream != streamAll {
		info, err := s.node.store.Stream(a.entry.Stream)
		if err != nil {
			return "", false, err
		}
		limits, err := s.node.store.Limits(s.node.store.Reader(), a.entry.Stream)
		if err != nil {
			return "", false, err
		}
		if info.Last < 0 {
			return "", false, nil
		}
		return a.log.format(info.Last), through < info.Last && limits.First(info.Last) <= info.Last, nil
	}
	if last == 0 {
		return "", false, nil
	}
	if a.log.filter == nil {
		return a.log.format(last), through < last, nil
	}
	if through < 0 {
		return "", through < last, nil
	}
	return a.log.format(through), through < last, nil
}

// groupStatus is the name of a state as EventStoreDB shows it.
func groupStatus(st persistent.Info, behind bool) string {
	var names []string
	if behind {
		names = append(names, "Behind")
	}
	if st.Replaying {
		names = append(names, "ReplayingParkedMessages")
	}
	if !behind {
		names = append(names, "Live")
	}
	return strings.Join(names, ", ")
}
