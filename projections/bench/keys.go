package main

import (
	"context"
	"crypto/sha256"
	"sync"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"

	"aftercare/domain/seal"
)

// keys seal and open as the product's keyring does, with the same cipher and a key a person, all of which it has found before: what is
// measured is opening texts, not asking a database for keys.
type keys struct{ known sync.Map }

var (
	_ seal.Sealer = (*keys)(nil)
	_ seal.Opener = (*keys)(nil)
)

func (k *keys) of(subject seal.Subject) (tink.AEAD, error) {
	if key, ok := k.known.Load(subject); ok {
		return key.(tink.AEAD), nil // there is nothing else in it
	}
	secret := sha256.Sum256([]byte(subject))
	key, err := subtle.NewAESGCM(secret[:])
	if err != nil {
		return nil, err
	}
	k.known.Store(subject, tink.AEAD(key))
	return key, nil
}

// Seal encrypts with the key of a person.
func (k *keys) Seal(_ context.Context, subject seal.Subject, plain, associated []byte) ([]byte, error) {
	key, err := k.of(subject)
	if err != nil {
		return nil, err
	}
	return key.Encrypt(plain, associated)
}

// Open decrypts with the key of a person.
func (k *keys) Open(_ context.Context, subject seal.Subject, sealed, associated []byte) ([]byte, error) {
	key, err := k.of(subject)
	if err != nil {
		return nil, err
	}
	return key.Decrypt(sealed, associated)
}
