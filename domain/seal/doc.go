// Package seal says which parts of an event are encrypted, and for whom.
//
// # Design
//
// Personal data and free text are fields of type Text. In memory a Text is open; on the way to the store the codec
// seals each one with the data key of the person it concerns (its Subject), bound to stream, event id and field path, and
// a Text that is not sealed refuses to be marshalled: clear text cannot reach the log by accident. On the way back an
// Opener opens it; where the person's key was destroyed the Text is forgotten, which readers see as a type, not as a
// made-up value.
package seal
