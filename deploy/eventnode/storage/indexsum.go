package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"go.etcd.io/bbolt"
)

// bbolt has checksums on its two header pages only. What the writer decides by has its own: each entry of a stream,
// and the set of all streams, because a name that cannot be found any more reads as a stream that was never written. So has what
// a scavenge removed: a stream that seems to begin later than it does has events that nobody sees. Positions of events need
// none: the record that stands there must be the one that is looked for.

var (
	keySum  = []byte("streams") // how many there are, and the sum of their hashes
	keySeal = []byte("seal")    // checksum of the rest of the state
)

var errSum = errors.New("its checksums differ")

// streamEntry is the length of an entry without its checksum.
const streamEntry = 24

// encodeStream returns the entry of a stream: id, last revision and tombstone, and the CRC-32C of the name and these.
func encodeStream(name string, info StreamInfo) []byte {
	v := binary.BigEndian.AppendUint64(make([]byte, 0, streamEntry+4), info.id)
	v = binary.BigEndian.AppendUint64(v, uint64(info.Last)) //nolint:gosec // same bits
	v = binary.BigEndian.AppendUint64(v, info.Tombstone)
	return sealed([]byte(name), v)
}

func decodeStream(name, v []byte) (StreamInfo, error) {
	v, err := unsealed("stream", name, v, streamEntry)
	if err != nil {
		return StreamInfo{}, err
	}
	return StreamInfo{
		id:        binary.BigEndian.Uint64(v),
		Last:      int64(binary.BigEndian.Uint64(v[8:])), //nolint:gosec // same bits
		Tombstone: binary.BigEndian.Uint64(v[16:]),
	}, nil
}

func streamSum(name, v []byte) uint32 {
	return crc32.Update(crc32.Checksum(name, castagnoli), castagnoli, v)
}

// sealed returns v with the CRC-32C of its key and v behind it.
func sealed(key, v []byte) []byte { return binary.BigEndian.AppendUint32(v, streamSum(key, v)) }

// unsealed is the inverse of sealed for n bytes. What says in errors of what the entry is.
func unsealed(what string, key, v []byte, n int) ([]byte, error) {
	if len(v) != n+4 || binary.BigEndian.Uint32(v[n:]) != streamSum(key, v[:n]) {
		return nil, fmt.Errorf("%s %q: %w", what, key, errSum)
	}
	return v[:n], nil
}

// unsealedRemoval is unsealed for what a scavenge left in the index.
func unsealedRemoval(key, v []byte, n int) ([]byte, error) {
	return unsealed("what was removed at", key, v, n)
}

// streamSet is the number of streams and the sum of the hashes of their names and ids.
type streamSet struct{ count, sum uint64 }

func (s *streamSet) add(name []byte, id uint64) {
	s.count++
	s.sum += uint64(streamSum(name, binary.BigEndian.AppendUint64(make([]byte, 0, 8), id)))
}

func readSet(state *bbolt.Bucket) (s streamSet) {
	if v := state.Get(keySum); len(v) == 16 {
		s = streamSet{binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:])}
	}
	return s
}

func (s streamSet) put(state *bbolt.Bucket) error {
	v := binary.BigEndian.AppendUint64(make([]byte, 0, 16), s.count)
	return state.Put(keySum, binary.BigEndian.AppendUint64(v, s.sum))
}

// seal protects the state. It comes last in every transaction that changes that.
func seal(state *bbolt.Bucket) error {
	return state.Put(keySeal, binary.BigEndian.AppendUint32(nil, stateSum(state)))
}

func stateSum(state *bbolt.Bucket) (sum uint32) {
	for _, key := range [][]byte{keyLog, keyThrough, keyNextID, keySum} {
		v := state.Get(key)
		sum = crc32.Update(sum, castagnoli, []byte{byte(len(v))}) //nolint:gosec // at most 16
		sum = crc32.Update(sum, castagnoli, v)
	}
	return sum
}

// intact checks the state and reads the entries of all streams and where they begin.
func intact(tx *bbolt.Tx, of *removals) error {
	state := tx.Bucket(bucketState)
	if v := state.Get(keySeal); len(v) != 4 || binary.BigEndian.Uint32(v) != stateSum(state) {
		return fmt.Errorf("state: %w", errSum)
	}
	var set streamSet
	want := readSet(state)
	c := tx.Bucket(bucketStreams).Cursor()
	for k, v := c.First(); k != nil && set.count <= want.count; k, v = c.Next() { // a damaged file may go in circles
		info, err := decodeStream(k, v)
		if err != nil {
			return err
		}
		set.add(k, info.id)
	}
	if set != want {
		return fmt.Errorf("streams: %w", errSum)
	}
	firsts := tx.Bucket(of.firsts)
	if firsts == nil {
		return nil
	}
	c, left := firsts.Cursor(), want.count
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if _, err := unsealedRemoval(k, v, 8); err != nil {
			return err
		}
		if left--; left == 0 { // as above
			break
		}
	}
	return nil
}
