-- A new version of a view that is being made, or waits to take the view's place; so that it can go on after it was interrupted.
create table aftercare.rebuild (
    view             text primary key,
    shape            text        not null,
    -- The program whose code folds: what another one began is begun again.
    program          text        not null,
    -- It holds the log up to here, of what was recorded by then (RFC 3339) unless that is empty, in so many portions, or in the order of the log.
    commit_position  bigint      not null,
    prepare_position bigint      not null,
    recorded_by      text        not null,
    portions         integer     not null,
    -- Whether its tables hold all of that, with indexes.
    filled           boolean     not null default false,
    started_at       timestamptz not null default clock_timestamp()
);

-- The portions of it that are in the tables.
create table aftercare.rebuild_portion (
    view    text    not null,
    portion integer not null,
    events  bigint  not null,
    primary key (view, portion)
);
