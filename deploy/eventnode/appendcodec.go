package eventnode

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"github.com/google/uuid"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"aftercare/deploy/eventnode/storage"
)

// appendMessage is one message of an append. It is decoded by hand because building a map for each event is most of what
// the generated code does here. Its slices share one piece of memory.
type appendMessage struct {
	options  *appendOptions   // or nil
	proposed *proposedMessage // or nil
}

// appendOptions is AppendReq.Options.
type appendOptions struct {
	stream      string
	expected    int64
	hasExpected bool
}

// proposedMessage is AppendReq.ProposedMessage.
type proposedMessage struct {
	record                     storage.Record
	hasID, hasType, hasContent bool
	badID                      bool
}

var errMalformed = errors.New("malformed message")

// decodeAppend reads an AppendReq as the generated code does: of fields given twice the last one counts, and those it does
// not know are passed over. Only messages that are given in pieces are not put together: no client sends these.
func decodeAppend(data mem.BufferSlice) (m appendMessage, err error) {
	err = eachField(data.Materialize(), func(f field) error {
		switch f.key {
		case 1<<3 | bytesField:
			m.options, m.proposed = &appendOptions{}, nil
			return eachField(f.bytes, m.options.set)
		case 2<<3 | bytesField:
			m.options, m.proposed = nil, &proposedMessage{}
			return eachField(f.bytes, m.proposed.set)
		}
		return nil
	})
	return m, err
}

func (o *appendOptions) set(f field) error {
	switch f.key {
	case 1<<3 | bytesField:
		return eachField(f.bytes, func(f field) error {
			if f.key == fieldStreamName<<3|bytesField {
				o.stream = string(f.bytes)
			}
			return nil
		})
	case 2<<3 | varintField:
		o.expected, o.hasExpected = toRevision(f.value), true
	case 3<<3 | bytesField:
		o.expected, o.hasExpected = storage.NoStream, true
	case 4<<3 | bytesField:
		o.expected, o.hasExpected = storage.Any, true
	case 5<<3 | bytesField:
		o.expected, o.hasExpected = storage.StreamExists, true
	}
	return nil
}

func (p *proposedMessage) set(f field) error {
	switch f.key {
	case 1<<3 | bytesField:
		return eachField(f.bytes, p.setID)
	case 2<<3 | bytesField:
		var key, value []byte
		err := eachField(f.bytes, func(f field) error {
			switch f.key {
			case 1<<3 | bytesField:
				key = f.bytes
			case 2<<3 | bytesField:
				value = f.bytes
			}
			return nil
		})
		if err != nil || !utf8.Valid(key) || !utf8.Valid(value) {
			return errMalformed
		}
		switch string(key) {
		case "type":
			p.record.Type, p.hasType = value, true
		case "content-type":
			p.hasContent = true
			p.record.Flags &^= storage.FlagJSON
			if string(value) == contentJSON {
				p.record.Flags |= storage.FlagJSON
			}
		}
	case 3<<3 | bytesField:
		p.record.Metadata = f.bytes
	case 4<<3 | bytesField:
		p.record.Data = f.bytes
	}
	return nil
}

func (p *proposedMessage) setID(f field) error {
	switch f.key {
	case fieldUUIDStructured<<3 | bytesField:
		p.hasID, p.badID = true, false
		clear(p.record.ID[:])
		return eachField(f.bytes, func(f field) error {
			switch f.key {
			case 1<<3 | varintField:
				binary.BigEndian.PutUint64(p.record.ID[:8], f.value)
			case 2<<3 | varintField:
				binary.BigEndian.PutUint64(p.record.ID[8:], f.value)
			}
			return nil
		})
	case fieldUUIDString<<3 | bytesField:
		id, err := uuid.ParseBytes(f.bytes)
		p.record.ID, p.hasID, p.badID = id, true, err != nil
		if !utf8.Valid(f.bytes) {
			return errMalformed
		}
	}
	return nil
}

// field is one field of a message: a number or bytes. Its key says which, and of what number it is.
type field struct {
	key   uint64
	value uint64
	bytes []byte
}

// Types of fields, the lower bits of a key.
const (
	varintField = uint64(protowire.VarintType)
	bytesField  = uint64(protowire.BytesType)
)

// eachField calls f with every field of a message. The fields of the messages it is used for are varints or have a length;
// others are passed over.
func eachField(b []byte, f func(field) error) error {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errMalformed
		}
		b = b[n:]
		got := field{key: protowire.EncodeTag(number, kind)}
		switch kind { //nolint:exhaustive // the others are none of ours
		case protowire.VarintType:
			got.value, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			got.bytes, n = protowire.ConsumeBytes(b)
		default:
			if n = protowire.ConsumeFieldValue(number, kind, b); n >= 0 {
				b = b[n:]
				continue
			}
		}
		if n < 0 {
			return errMalformed
		}
		b = b[n:]
		if err := f(got); err != nil {
			return err
		}
	}
	return nil
}
