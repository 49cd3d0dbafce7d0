package ticket

import (
	"strconv"

	"aftercare/domain"
)

// Refusals of this package, by code:
//
//	command.time-missing      the command does not say when it happened
//	ticket.unknown            no such case
//	ticket.already-received   the case exists
//	ticket.wrong-phase        {phase, command} the case does not stand where the command needs it
//	ticket.before-received    it cannot have happened before the case was received
//	ticket.value-missing      {field} a value is needed
//	ticket.value-too-long     {field, limit} in characters
//	ticket.not-dispatched     nobody was sent who could arrive
//	ticket.no-plan            there is no plan to agree to
//	ticket.not-resolved       a case is resolved before it is closed
//	ticket.bad-rating         {score, min, max} the score is not on the scale
//	ticket.bad-sequence       {seq} rows of a history are numbered from 1
var (
	ErrNoTime          = domain.Refuse(domain.Invalid, "command.time-missing")
	ErrUnknown         = domain.Refuse(domain.NotFound, "ticket.unknown")
	ErrAlreadyReceived = domain.Refuse(domain.WrongState, "ticket.already-received")
	ErrWrongPhase      = domain.Refuse(domain.WrongState, "ticket.wrong-phase")
	ErrBeforeReceived  = domain.Refuse(domain.Invalid, "ticket.before-received")
	ErrMissing         = domain.Refuse(domain.Invalid, "ticket.value-missing")
	ErrTooLong         = domain.Refuse(domain.Invalid, "ticket.value-too-long")
	ErrNotDispatched   = domain.Refuse(domain.WrongState, "ticket.not-dispatched")
	ErrNoPlan          = domain.Refuse(domain.WrongState, "ticket.no-plan")
	ErrNotResolved     = domain.Refuse(domain.WrongState, "ticket.not-resolved")
	ErrBadRating       = domain.Refuse(domain.Invalid, "ticket.bad-rating")
	ErrBadSequence     = domain.Refuse(domain.Invalid, "ticket.bad-sequence")
)

func wrongPhase(s State, command string) error {
	return domain.Refuse(domain.WrongState, ErrWrongPhase.Code, "phase", s.Phase.String(), "command", command)
}

func missing(field string) error {
	return domain.Refuse(domain.Invalid, ErrMissing.Code, "field", field)
}

func tooLong(field string, limit int) error {
	return domain.Refuse(domain.Invalid, ErrTooLong.Code, "field", field, "limit", strconv.Itoa(limit))
}
