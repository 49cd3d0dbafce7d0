package keyring

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"

	"aftercare/domain/seal"
)

// Errors of a Ring, besides seal.ErrForgotten.
var (
	// ErrNoKey says that there is no key for a person and there never was: the text was sealed with another ring.
	ErrNoKey = errors.New("the ring has no key of the person")
	// ErrNoSubject refuses a text that concerns nobody.
	ErrNoSubject = errors.New("the text has no subject")
)

// Options of Open.
type Options struct {
	Pool    *pgxpool.Pool
	Wrapper Wrapper
	Now     func() time.Time
	// CacheSize is how many keys are kept unwrapped. Defaults to 20,000.
	CacheSize int
	// TTL is how long a key is used without asking whether it still exists. Defaults to 30 s.
	TTL time.Duration
}

// Ring is a seal.Sealer and seal.Opener. It is safe for concurrent use, by several processes, too.
type Ring struct {
	pool     *pgxpool.Pool
	wrapping tink.AEAD
	hashKey  []byte
	cache    *cache
}

var (
	_ seal.Sealer = (*Ring)(nil)
	_ seal.Opener = (*Ring)(nil)
)

//go:embed schema.sql
var schema string

const keySize = 32

// Open makes the schema and the ring's own keys where they are missing, and unwraps the latter.
func Open(ctx context.Context, o Options) (*Ring, error) {
	r := &Ring{
		pool:  o.Pool,
		cache: newCache(cmp.Or(o.CacheSize, 20_000), cmp.Or(o.TTL, 30*time.Second), o.Now),
	}
	err := pgx.BeginFunc(ctx, o.Pool, func(tx pgx.Tx) error {
		// Two processes that start at once would both make it.
		if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext('aftercare.keyring'))"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, schema); err != nil {
			return err
		}
		wrapping, err := secret(ctx, tx, o.Wrapper, "wrapping")
		if err != nil {
			return err
		}
		if r.wrapping, err = subtle.NewAESGCM(wrapping); err != nil {
			return err
		}
		r.hashKey, err = secret(ctx, tx, o.Wrapper, "command-hash")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open the keyring: %w", err)
	}
	return r, nil
}

// secret returns a key of the ring itself, making it on first use.
func secret(ctx context.Context, tx pgx.Tx, w Wrapper, name string) ([]byte, error) {
	associated := []byte("keyring.secret/" + name)
	var wrapped []byte
	err := tx.QueryRow(ctx, "select wrapped from keyring.secret where name = $1", name).Scan(&wrapped)
	switch {
	case err == nil:
		key, err := w.DecryptWithContext(ctx, wrapped, associated)
		if err != nil {
			return nil, fmt.Errorf("unwrap the secret %s (is this the key-encryption key it was made with?): %w", name, err)
		}
		return key, nil
	case !errors.Is(err, pgx.ErrNoRows):
		return nil, err
	}
	key := newKey()
	if wrapped, err = w.EncryptWithContext(ctx, key, associated); err != nil {
		return nil, fmt.Errorf("wrap the secret %s: %w", name, err)
	}
	_, err = tx.Exec(ctx, "insert into keyring.secret (name, wrapped) values ($1, $2)", name, wrapped)
	return key, err
}

// newKey returns a random key.
func newKey() []byte {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails
	return key
}

// HashKey returns the key for commands.Handler.
func (r *Ring) HashKey() []byte { return append([]byte(nil), r.hashKey...) }

// format is the first byte of a sealed text.
const format = 1

// Seal implements seal.Sealer. It returns seal.ErrForgotten for a person whose key was destroyed.
func (r *Ring) Seal(ctx context.Context, subject seal.Subject, plain, associated []byte) ([]byte, error) {
	key, err := r.key(ctx, subject, r.create)
	if err != nil {
		return nil, fmt.Errorf("seal for %s: %w", subject, err)
	}
	sealed, err := key.Encrypt(plain, associated)
	if err != nil {
		return nil, fmt.Errorf("seal for %s: %w", subject, err)
	}
	return append([]byte{format}, sealed...), nil
}

// Open implements seal.Opener. A person unknown to the ring is ErrNoKey.
func (r *Ring) Open(ctx context.Context, subject seal.Subject, sealed, associated []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != format {
		return nil, fmt.Errorf("open for %s: unknown format", subject)
	}
	key, err := r.key(ctx, subject, r.find)
	if err != nil {
		return nil, fmt.Errorf("open for %s: %w", subject, err)
	}
	plain, err := key.Decrypt(sealed[1:], associated)
	if err != nil {
		return nil, fmt.Errorf("open for %s: %w", subject, err)
	}
	return plain, nil
}
