// Package faultproxy is a TCP proxy for tests that behaves as bad as networks do: slow, in pieces, silent, one way only,
// cut off with a reset, or leading to another server than before. It knows no protocol and is not for production.
//
// # Design
//
// A Proxy runs inside the test: a fault is a method call, at work when the call returns, and no control port is needed. Shopify's
// toxiproxy was the alternative. It brings a web server, a metrics library, a command line and a logger as dependencies, and
// lets bytes vanish from the middle of a stream, which TCP never does.
//
// Nothing is ever dropped from a connection that goes on: what is held comes later, in order, and so does the end of the
// connection. So what a stalled network does is seen, not what a broken proxy would do. Links that are stranded never get
// on again, as when a firewall forgot them or the machine at the other end went up in smoke.
//
// What a proxy cannot do is lose the packets that open a connection: the kernel completes it before we see it. Silent is the
// nearest, and Refuse resets a connection as soon as it is made, instead of refusing it.
package faultproxy
