package keyring

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"

	"aftercare/domain/seal"
)

// keys are unwrapped keys by person; nil is a tombstone.
type keys map[seal.Subject]tink.AEAD

// Prepare makes the keys of persons that have none and has all of them at hand, in three statements at most. Importers
// call it for what they are about to write. Forgotten persons are left alone.
func (r *Ring) Prepare(ctx context.Context, subjects []seal.Subject) error {
	_, err := r.create(ctx, r.missing(subjects))
	return err
}

// Load has the keys of persons at hand, in one statement, for readers of many texts. Persons without a key are left alone.
func (r *Ring) Load(ctx context.Context, subjects []seal.Subject) error {
	_, err := r.find(ctx, r.missing(subjects))
	return err
}

// Forget destroys the key of a person for ever. Forgetting twice, or somebody without a key, is no error.
func (r *Ring) Forget(ctx context.Context, subject seal.Subject) error {
	if subject == "" {
		return ErrNoSubject
	}
	_, err := r.pool.Exec(ctx, `
		insert into keyring.data_key as k (subject, forgotten_at) values ($1, now())
		on conflict (subject) do update set wrapped = null, forgotten_at = now() where k.forgotten_at is null`, subject)
	if err != nil {
		return fmt.Errorf("forget %s: %w", subject, unavailable(err))
	}
	r.cache.forget(subject)
	return nil
}

// key returns the key of a person, looked up by the given means when it is not at hand.
func (r *Ring) key(ctx context.Context, subject seal.Subject, lookup func(context.Context, []seal.Subject) (keys, error)) (tink.AEAD, error) {
	if subject == "" {
		return nil, ErrNoSubject
	}
	e, ok := r.cache.find(subject)
	if !ok {
		found, err := lookup(ctx, []seal.Subject{subject})
		if err != nil {
			return nil, err
		}
		if e.key, ok = found[subject]; !ok {
			return nil, ErrNoKey
		}
	}
	if e.key == nil {
		return nil, seal.ErrForgotten
	}
	return e.key, nil
}

// missing returns whom the cache does not know, each once and in order, so that concurrent inserts do not deadlock.
func (r *Ring) missing(subjects []seal.Subject) []seal.Subject {
	set := make(map[seal.Subject]struct{}, len(subjects))
	for _, s := range subjects {
		if _, ok := r.cache.find(s); !ok && s != "" {
			set[s] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// create finds the keys of persons and makes those that there are not.
func (r *Ring) create(ctx context.Context, subjects []seal.Subject) (keys, error) {
	all, err := r.find(ctx, subjects)
	if err != nil {
		return nil, err
	}
	var wanted []seal.Subject
	var wrapped [][]byte
	for _, s := range subjects {
		if _, ok := all[s]; ok {
			continue
		}
		w, err := r.wrapping.Encrypt(newKey(), binding(s))
		if err != nil {
			return nil, fmt.Errorf("wrap a key: %w", err)
		}
		wanted, wrapped = append(wanted, s), append(wrapped, w)
	}
	if len(wanted) == 0 {
		return all, nil
	}
	// Somebody else may be making the same keys: the first counts, and all read what is stored.
	_, err = r.pool.Exec(ctx, `
		insert into keyring.data_key (subject, wrapped)
		select * from unnest($1::text[], $2::bytea[])
		on conflict (subject) do nothing`, wanted, wrapped)
	if err != nil {
		return nil, fmt.Errorf("store keys: %w", unavailable(err))
	}
	made, err := r.find(ctx, wanted)
	maps.Copy(all, made)
	return all, err
}

// find reads and unwraps the keys that there are, and keeps them at hand.
func (r *Ring) find(ctx context.Context, subjects []seal.Subject) (keys, error) {
	found := keys{}
	if len(subjects) == 0 {
		return found, nil
	}
	generation := r.cache.generation()
	rows, err := r.pool.Query(ctx, "select subject, wrapped from keyring.data_key where subject = any($1::text[])", subjects)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", unavailable(err))
	}
	var subject seal.Subject
	var wrapped []byte
	_, err = pgx.ForEachRow(rows, []any{&subject, &wrapped}, func() error {
		key, err := r.unwrap(subject, wrapped)
		found[subject] = key
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", unavailable(err))
	}
	for s, key := range found {
		r.cache.put(s, key, generation)
	}
	return found, nil
}

func (r *Ring) unwrap(subject seal.Subject, wrapped []byte) (tink.AEAD, error) {
	if wrapped == nil {
		return nil, nil //nolint:nilnil // a tombstone
	}
	plain, err := r.wrapping.Decrypt(wrapped, binding(subject))
	if err != nil {
		return nil, fmt.Errorf("unwrap the key of %s: %w", subject, err)
	}
	return subtle.NewAESGCM(plain)
}

// binding ties a wrapped key to its person: it cannot be given to another row.
func binding(subject seal.Subject) []byte { return []byte("keyring.data_key/" + subject) }
