// Package codec turns events into stored bytes and back, by their stored names.
//
// # Design
//
// Names are constants that the events themselves return; there is no reflection and no registry that fills itself. A type
// the codec does not know decodes to a Recorded without Event: an older program may read a newer log. Sealed fields are
// encrypted on the way in and opened on the way out, bound to stream, event id and path.
package codec
