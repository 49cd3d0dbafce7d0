create schema aftercare;

-- How far each view has come in the log. The row moves in the transaction that writes the view's rows.
create table aftercare.checkpoint (
    view             text primary key,
    -- Grows by one with every rebuild that took the view's place.
    generation       bigint      not null default 1,
    -- Identifies the statements that made the view's tables.
    shape            text        not null,
    commit_position  bigint      not null default 0,
    prepare_position bigint      not null default 0,
    -- How many events the view has folded.
    events           bigint      not null default 0,
    updated_at       timestamptz not null default now()
);

-- Events that a view could not take, and those that came after them in the same stream. The payload stays in the log.
create table aftercare.parked_event (
    view             text        not null,
    commit_position  bigint      not null,
    prepare_position bigint      not null,
    event_id         uuid        not null,
    stream           text        not null,
    revision         bigint      not null,
    type             text        not null,
    error            text        not null,
    attempts         integer     not null,
    parked_at        timestamptz not null default now(),
    primary key (view, commit_position, prepare_position)
);

create index parked_event_stream on aftercare.parked_event (view, stream, revision);
