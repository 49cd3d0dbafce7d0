package eventstore_test

import (
	"net"
	"testing"
)

// silent returns the address of a server that takes connections and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var taken []net.Conn
		for {
			conn, err := listener.Accept()
			if err != nil {
				break
			}
			taken = append(taken, conn)
		}
		for _, conn := range taken {
			_ = conn.Close() // nothing was said
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close() // ends the goroutine
		<-done
	})
	return "esdb://" + listener.Addr().String() + "?tls=false&gossipTimeout=1"
}
