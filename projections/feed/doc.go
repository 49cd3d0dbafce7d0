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
// The official client (v4.2.0) ignores the context while it looks for a node, dies for good when it finds none, and leaks
// a connection when it reconnects. So every subscription and read has a client of its own, with one caller and one attempt
// at discovery; after any error it is closed, with no call in flight, and another is made after a pause. What was delivered
// last says where to go on.
package feed
