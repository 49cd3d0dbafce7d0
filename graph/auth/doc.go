// Package auth says who asks. There is no sign-in yet: everybody who can reach the server on this machine's loopback is the
// principal "development", and every answer says so.
//
// # Design
//
// As long as nobody signs in, reaching the server must mean sitting at the machine. So it refuses to listen elsewhere, it
// refuses connections from elsewhere (a proxy on this machine would bring those in, and sends their address), and it refuses
// names of hosts that are not the machine's own: a page from outside whose name was rebound to 127.0.0.1 still sends that name.
// Requests that change something must come from our own origin, or from no browser at all.
package auth
