create schema if not exists keyring;

-- Keys of the ring itself, encrypted under the key-encryption key.
create table if not exists keyring.secret (
	name text primary key,
	wrapped bytea not null,
	created_at timestamptz not null default now()
);

-- Data keys, encrypted under the secret "wrapping". A forgotten person has a row without a key.
create table if not exists keyring.data_key (
	subject text primary key,
	wrapped bytea,
	created_at timestamptz not null default now(),
	forgotten_at timestamptz,
	check ((wrapped is null) = (forgotten_at is not null))
);
