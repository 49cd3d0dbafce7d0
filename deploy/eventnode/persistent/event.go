package persistent

// None is the position in front of all events.
const None int64 = -1

// ID is the id of an event, by which consumers answer.
type ID [16]byte

// ConsumerID tells the consumers of a group apart.
type ConsumerID uint64

// Event refers to an event of the source of a group, or to one that was parked.
type Event struct {
	ID       ID
	Position int64  // where it stands in the source: a revision, or a position of the log
	At       uint64 // where its record stands in the log
	Pin      uint32 // equal for events that belong on the same consumer
	Replayed bool   // it is a link in the parked stream, and Position its revision there
}

// Batch is what one read of the source, or of parked events, returned.
type Batch struct {
	Events []Event
	// Through is the last position that was looked at, whether or not it gave an event.
	Through int64
	// Considered is how many events were looked at; those that Events leaves out are finished at once.
	Considered int
	// More says that there was more to read.
	More bool
}

// Action is what a consumer wants done with an event that it refuses.
type Action uint8

// The actions of EventStoreDB.
const (
	// ActionRetry delivers the event again, or parks it when that was done too often.
	ActionRetry Action = iota + 1
	// ActionPark puts the event aside.
	ActionPark
	// ActionSkip drops the event.
	ActionSkip
	// ActionStop does nothing: the event stays with the consumer until that leaves or time is up.
	ActionStop
)

// Delivery is an event for a consumer.
type Delivery struct {
	Consumer ConsumerID
	Event    Event
	Retries  int // how often it was delivered before
}

// Revocation says that an event is no longer a consumer's: if it was not sent yet, it must not be.
type Revocation struct {
	Consumer ConsumerID
	ID       ID
}

// Parking is an event to put aside.
type Parking struct {
	Number uint64 // names it in Parked and ParkingFailed
	Event  Event
	Reason string
}

// Effects are what a group wants done, in the order of the fields.
type Effects struct {
	Revoke  []Revocation
	Deliver []Delivery
	Park    []Parking
	// Checkpoint is a position below which everything is finished, to be stored; nil when there is none.
	// Saved or SaveFailed must follow.
	Checkpoint *int64
	// Truncate is a revision of the parked stream in front of which everything is finished; nil when
	// there is none. Truncated or TruncateFailed must follow.
	Truncate *int64
}
