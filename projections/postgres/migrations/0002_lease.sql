-- Processes that keep views. They are gone when they have not been seen for a while.
create table aftercare.projector (
    id      uuid primary key,
    name    text        not null,
    seen_at timestamptz not null default clock_timestamp()
);

-- Who keeps a view. A lease that has run out is anybody's; what keeps rows right is the checkpoint, not the lease.
create table aftercare.lease (
    view    text primary key,
    holder  uuid        not null,
    expires timestamptz not null
);
