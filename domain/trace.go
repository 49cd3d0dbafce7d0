package domain

// Sampled reports whether the command was traced and its trace is kept: whether the traceparent has the flag "sampled".
func (m Metadata) Sampled() bool {
	const length, flags = 55, 54 // version, trace, span, flags: 00-…-…-01
	if len(m.Traceparent) < length {
		return false
	}
	switch m.Traceparent[flags] {
	case '1', '3', '5', '7', '9', 'b', 'd', 'f':
		return true
	}
	return false
}
