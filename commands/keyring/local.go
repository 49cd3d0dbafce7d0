package keyring

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Wrapper is a key-encryption key. The AEADs of tink's KMS clients (tink.AEADWithContext) are Wrappers.
type Wrapper interface {
	EncryptWithContext(ctx context.Context, plain, associated []byte) ([]byte, error)
	DecryptWithContext(ctx context.Context, sealed, associated []byte) ([]byte, error)
}

// LocalKeyset returns the key-encryption key of a tink keyset in a JSON file, in clear, made on first use. It refuses a file
// that others than its owner can read. Losing the file loses every text.
func LocalKeyset(path string) (Wrapper, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKeyset(path); err != nil {
			return nil, fmt.Errorf("make the keyset: %w", err)
		}
		info, err = os.Stat(path)
	}
	if err != nil {
		return nil, fmt.Errorf("find the keyset: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("the keyset %s has mode %#o: only its owner may read it (chmod 600)", path, mode)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the keyset: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(file))
	if err != nil {
		return nil, fmt.Errorf("read the keyset %s: %w", path, err)
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("use the keyset %s: %w", path, err)
	}
	return local{primitive}, nil
}

// makeKeyset writes a new keyset whole or not at all. A keyset that another process has just made stays.
func makeKeyset(path string) (err error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".keyset-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(file)); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// local gives tink's local AEAD the form of a remote one.
type local struct{ aead tink.AEAD }

func (l local) EncryptWithContext(_ context.Context, plain, associated []byte) ([]byte, error) {
	return l.aead.Encrypt(plain, associated)
}

func (l local) DecryptWithContext(_ context.Context, sealed, associated []byte) ([]byte, error) {
	return l.aead.Decrypt(sealed, associated)
}
