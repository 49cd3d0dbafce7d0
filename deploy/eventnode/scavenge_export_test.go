package eventnode

import (
	"context"

	"aftercare/deploy/eventnode/storage"
)

// Scavenge frees what n no longer shows.
func Scavenge(ctx context.Context, n *Node) (storage.Scavenged, error) { return n.store.Scavenge(ctx) }
