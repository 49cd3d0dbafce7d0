-- Processes that keep views, and which they can keep. They are gone when they have not been seen for a while.
create table aftercare.projector (
    id      uuid primary key,
    name    text        not null,
    views   text[]      not null,
    seen_at timestamptz not null default clock_timestamp()
);

-- Who keeps a view, and what holds it up. A lease that has run out is anybody's; what keeps rows right is the checkpoint, not the lease.
create table aftercare.lease (
    view          text primary key,
    holder        uuid,
    expires       timestamptz not null default '-infinity',
    failing       text,
    failing_since timestamptz
);
