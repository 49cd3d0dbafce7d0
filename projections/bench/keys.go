package main

import (
	"context"
	"crypto/sha256"
	"sync"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"

	"aftercare/domain/seal"
)

// keys seal and open as the product's keyring does, with the same cipher, a key a person, and as many keys kept at hand; the others are made
// anew rather than asked of a database, since what is measured is opening texts.
type keys struct {
	mu    sync.Mutex
	known map[seal.Subject]tink.AEAD
}

// keptKeys is how many keys the product's keyring keeps at hand.
const keptKeys = 20_000

var (
	_ seal.Sealer = (*keys)(nil)
	_ seal.Opener = (*keys)(nil)
)

func (k *keys) of(subject seal.Subject) (tink.AEAD, error) {
	k.mu.Lock()
	key, ok := k.known[subject]
	k.mu.Unlock()
	if ok {
		return key, nil
	}
	secret := sha256.Sum256([]byte(subject))
	made, err := subtle.NewAESGCM(secret[:])
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil || len(k.known) >= keptKeys {
		k.known = make(map[seal.Subject]tink.AEAD)
	}
	k.known[subject] = made
	return made, nil
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
