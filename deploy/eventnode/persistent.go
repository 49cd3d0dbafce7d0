package eventnode

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/persistent"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"

	"aftercare/deploy/eventnode/storage"
)

// configStream keeps the definitions of persistent subscription groups, the newest event all of them.
const configStream = "$persistentSubscriptionConfig"

// groupAttempts bounds how often a change starts over because another one came in between.
const groupAttempts = 10

// groupConfig maps "stream::group" to the request that created the group.
type groupConfig map[string]json.RawMessage

// persistentService keeps the definitions of persistent subscription groups. Nothing consumes them:
// all calls but Create and Delete are refused.
type persistentService struct {
	persistent.UnimplementedPersistentSubscriptionsServer
	node *Node
}

const persistentFeature = "Persistent subscriptions (but for creating and deleting groups)"

// Create implements the service: the definition is stored for good, or refused if it exists.
func (s *persistentService) Create(ctx context.Context, req *persistent.CreateReq) (*persistent.CreateResp, error) {
	o := req.GetOptions()
	stream := "$all"
	if _, all := o.GetStreamOption().(*persistent.CreateReq_Options_All); !all {
		stream = string(o.GetStream().GetStreamIdentifier().GetStreamName())
		if stream == "" {
			stream = string(o.GetStreamIdentifier().GetStreamName()) //nolint:staticcheck // old clients send only this
		}
	}
	definition, err := protojson.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("encode group: %w", err)
	}
	return &persistent.CreateResp{}, s.change(ctx, stream, o.GetGroupName(), func(groups groupConfig, key string) error {
		if _, ok := groups[key]; ok {
			return failure(codes.AlreadyExists, "Subscription group "+o.GetGroupName()+" on stream "+stream+" already exists.",
				"exception", "persistent-subscription-exists", "stream-name", stream, "group-name", o.GetGroupName())
		}
		groups[key] = definition
		return nil
	})
}

// Delete implements the service: the definition is gone, or was never there and that is an error.
func (s *persistentService) Delete(ctx context.Context, req *persistent.DeleteReq) (*persistent.DeleteResp, error) {
	o := req.GetOptions()
	stream := "$all"
	if _, all := o.GetStreamOption().(*persistent.DeleteReq_Options_All); !all {
		stream = string(o.GetStreamIdentifier().GetStreamName())
	}
	return &persistent.DeleteResp{}, s.change(ctx, stream, o.GetGroupName(), func(groups groupConfig, key string) error {
		if _, ok := groups[key]; !ok {
			return failure(codes.NotFound, "Subscription group "+o.GetGroupName()+" on stream "+stream+" does not exist.",
				"exception", "persistent-subscription-does-not-exist", "stream-name", stream, "group-name", o.GetGroupName())
		}
		delete(groups, key)
		return nil
	})
}

// change applies f to all definitions and stores the result unless f refuses.
func (s *persistentService) change(ctx context.Context, stream, group string, f func(groupConfig, string) error) error {
	if stream == "" || group == "" {
		return invalid("A persistent subscription needs a stream and a group.")
	}
	st := s.node.store
	for range groupAttempts {
		info, err := st.Stream(configStream)
		if err != nil {
			return err
		}
		groups := groupConfig{}
		r, ok, err := st.Record(st.Reader(), configStream, info.Last)
		if err != nil {
			return err
		}
		if ok {
			if err := json.Unmarshal(r.Data, &groups); err != nil {
				return fmt.Errorf("decode groups: %w", err)
			}
		}
		if err := f(groups, stream+"::"+group); err != nil {
			return err
		}
		data, err := json.Marshal(groups)
		if err != nil {
			return fmt.Errorf("encode groups: %w", err)
		}
		res, err := s.node.store.Write(ctx, &storage.Request{
			Kind: storage.Append, Stream: configStream, Expected: info.Last,
			Events: []storage.Record{{ID: uuid.New(), Type: []byte("$PersistentConfig"), Data: data, Flags: storage.FlagJSON}},
		})
		if err != nil || res.Verdict == storage.Written {
			return err
		}
	}
	return failure(codes.Aborted, "Operation timed out: too many changes of groups at once.")
}
