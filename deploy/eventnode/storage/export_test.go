package storage

// ErrDamaged is the error of DecodeRecord.
var ErrDamaged = errDamaged

// EncodeRecord returns the stored form of r, written when the log was on disk up to lag bytes in front of it.
func EncodeRecord(r Record, lag uint32) []byte {
	r.lag = lag
	return appendRecord(nil, &r)
}

// DecodeRecord is the inverse of EncodeRecord.
func DecodeRecord(b []byte, position uint64) (r Record, lag uint32, err error) {
	r, err = decodeRecord(b, position)
	lag, r.lag, r.size = r.lag, 0, 0
	return r, lag, err
}

// UnsyncedIndex returns o for a store that does not sync its index, which tests replace after each crash anyway.
func UnsyncedIndex(o Options) Options {
	o.indexNoSync = true
	return o
}
