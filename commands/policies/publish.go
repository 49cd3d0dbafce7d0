package policies

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"aftercare/commands"
	"aftercare/domain"
	"aftercare/domain/policy"
)

// Policies carries out commands of policies: the Handler of policy.Decider.
type Policies interface {
	Handle(ctx context.Context, id string, command policy.Publish, meta domain.Metadata) (commands.Receipt, error)
}

// Publish puts versions in force, in their order, as of a time. Versions that are in force already lead to nothing. It ends with the
// first refusal; those before it stay in force. The receipt is the last one. meta.CommandID names the whole: each version's command
// derives from it.
func Publish(ctx context.Context, p Policies, at time.Time, versions []policy.Version, meta domain.Metadata) (commands.Receipt, error) {
	var last commands.Receipt
	for _, v := range versions {
		m := meta
		m.CommandID = domain.DeriveUUID(meta.CommandID, "policy/"+v.ID+"/"+strconv.Itoa(v.Number))
		receipt, err := p.Handle(ctx, v.ID, policy.Publish{At: at, Version: v}, m)
		if err != nil {
			return last, fmt.Errorf("publish version %d of %s: %w", v.Number, v.ID, err)
		}
		if receipt.Position.Compare(last.Position) > 0 {
			last = receipt
		}
	}
	return last, nil
}
