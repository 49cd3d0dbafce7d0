// Package keyring keeps the data keys of persons: it seals and opens their texts, and forgets them.
//
// # Design
//
// Every person has a random AES-256 key, with which their texts are sealed in GCM. These data keys are stored encrypted
// under one wrapping key of the ring, bound to the person; the wrapping key, and the key for the hashes of commands, are
// stored encrypted under the key-encryption key: a local keyset file, or a KMS. So a KMS is asked once a start, not once a
// person, and its key is rotated by encrypting two rows anew.
//
// The keys live in a Postgres schema of their own, "keyring", made here and not with the read models, so that it has its
// own backup: whoever erases a person must be able to let the backups of this schema expire, and of nothing else.
// It is the one place of the write side that uses Postgres.
//
// Forgetting destroys the stored key and leaves a tombstone, so that the person cannot get a new key by accident. In the
// process that forgets this holds at once. Other processes keep unwrapped keys for Options.TTL, 30 s by default: until
// then they may still open texts, and may still seal some, which nobody will be able to open.
//
// A sealed text is a format byte, 1, a nonce of 12 bytes, the cipher text and a tag of 16.
package keyring
