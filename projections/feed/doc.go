// Package feed brings the events of EventStoreDB to the read side: as a Watermill subscriber over one catch-up
// subscription, and as plain reads for rebuilds and for the head of the log. It neither decodes payloads nor keeps
// positions: whoever subscribes says where to start.
//
// # Design
//
// A topic is a category: topic "ticket" is every event whose stored type starts with "ticket.". Several categories are
// joined by commas, and All is every event that is not the store's own. Order is that of the log.
//
// A subscriber delivers one message and waits for its ack, as Watermill asks. With Options.Ahead it lets so many messages
// be in flight, so that a batching consumer can commit many at once and ack afterwards; a nack then redelivers that
// message and all after it, since order matters more than the repetition.
//
// Whatever happens to connections, an event is delivered once and in order: only a nack repeats. What was handed out before
// a nack was seen is taken back as well, and its context ends.
//
// The official client (v4.2.0) ignores the context while it looks for a node, dies for good when it finds none, leaks
// a connection when it reconnects, and panics on answers it does not expect. So every subscription and read has a client of
// its own, with one caller and one attempt at discovery; after any error it is closed, with no call in flight, and another is
// made after a pause of 50 ms to 5 s, and half as much by chance. What was delivered last says where to go on. A panic becomes
// an error. An event without its creation time, which no released server sends, makes the client end the process: see the
// tests of commands/eventstore.
//
// A connection that dies without a word is noticed by gRPC's pings: after keepAliveInterval, which gRPC raises to 10 s at
// least, and keepAliveTimeout, 20 s by default. Reads need not wait for that: Log.Timeout bounds each step of them.
//
// A store that was replaced by another at the same address would be silent up to the old position, and then go on with
// another history. So a subscription begins by looking for the event it saw last, and for the end of the log; where they do
// not fit it reports ErrReplaced, delivers nothing and looks again. A position alone, without an event seen in this process,
// only tells a log that is shorter, or has no record boundary there.
package feed
