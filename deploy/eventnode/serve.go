package eventnode

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// pageTime is how long HTTP requests may take to end when the node stops.
const pageTime = time.Second

// serve answers until drain ends it, and fails if the listener does before.
func (n *Node) serve() error {
	var servers sync.WaitGroup
	var fromGRPC, fromHTTP error
	servers.Go(func() { fromGRPC = n.server.Serve(n.front.grpc) })
	servers.Go(func() { fromHTTP = n.web.Serve(n.front.http) })
	err := n.front.run()
	if err != nil { // the listener is gone, so nothing more will come
		n.front.hangUp(true)
		n.server.Stop()
		_ = n.web.Close()
	}
	servers.Wait()
	if errors.Is(fromHTTP, http.ErrServerClosed) {
		fromHTTP = nil
	}
	return errors.Join(err, fromGRPC, fromHTTP)
}

// drain ends the calls, forcibly if they take too long. Until then HTTP says that the node stops.
func (n *Node) drain(ctx context.Context) {
	n.front.hangUp(false)
	drained := make(chan struct{})
	var stopping sync.WaitGroup
	stopping.Go(func() {
		defer close(drained)
		n.server.GracefulStop()
	})
	timer := time.NewTimer(drainTime)
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
		n.front.hangUp(true)
		n.server.Stop()
	}
	stopping.Wait()
	ctx, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	if n.web.Shutdown(ctx) != nil {
		_ = n.web.Close()
	}
	_ = n.front.close() // the node ends either way
}
