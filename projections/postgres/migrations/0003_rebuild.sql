-- A rebuild under way, so that it can go on after it was interrupted.
create table aftercare.rebuild (
    view             text primary key,
    shape            text        not null,
    commit_position  bigint      not null,
    prepare_position bigint      not null,
    started_at       timestamptz not null default clock_timestamp()
);

-- The portions of it that are in the new tables.
create table aftercare.rebuild_portion (
    view    text    not null,
    portion integer not null,
    primary key (view, portion)
);
