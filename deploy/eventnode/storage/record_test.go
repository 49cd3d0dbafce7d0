package storage_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"aftercare/deploy/eventnode/storage"
)

func sample() storage.Record {
	return storage.Record{
		Position: 4711, Flags: 3, Revision: 9, Created: 17e15, ID: uuid.MustParse("0190b3a4-8f0e-7cc3-98c4-dc0c0c07398f"),
		Stream: []byte("case-1"), Type: []byte("case.opened.v1"), Metadata: []byte(`{"a":1}`), Data: []byte(`{"b":2}`),
	}
}

func TestRecordRoundTrip(t *testing.T) {
	t.Parallel()
	want := sample()
	b := storage.EncodeRecord(want, 17)
	got, lag, err := storage.DecodeRecord(append(b, "what follows"...), want.Position)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(storage.Record{})); diff != "" || err != nil || lag != 17 {
		t.Errorf("lag %d, %v\n%s", lag, err, diff)
	}
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	t.Parallel()
	b := storage.EncodeRecord(sample(), 17)
	for i := range len(b) * 8 {
		bad := bytes.Clone(b)
		bad[i/8] ^= 1 << (i % 8)
		if _, _, err := storage.DecodeRecord(bad, 4711); !errors.Is(err, storage.ErrDamaged) {
			t.Fatalf("bit %d: got %v, want damage", i, err)
		}
	}
	if _, _, err := storage.DecodeRecord(b, 4712); !errors.Is(err, storage.ErrDamaged) {
		t.Errorf("elsewhere: got %v, want damage", err)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	b := storage.EncodeRecord(sample(), 17)
	f.Add(b, uint64(4711))
	f.Add(b[:len(b)-1], uint64(4711))
	f.Add([]byte{}, uint64(0))
	f.Fuzz(func(t *testing.T, b []byte, position uint64) {
		r, lag, err := storage.DecodeRecord(b, position)
		if err != nil {
			if !errors.Is(err, storage.ErrDamaged) {
				t.Fatalf("got %v, want damage or a record", err)
			}
			return
		}
		again := storage.EncodeRecord(r, lag)
		if !bytes.HasPrefix(b, again) {
			t.Errorf("decoded and encoded again it differs")
		}
	})
}
