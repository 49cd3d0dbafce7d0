-- How far each view has come in the log. The row moves in the transaction that writes the view's rows.
create table public.projection_checkpoint (
    view             text primary key,
    version          integer     not null,
    commit_position  bigint      not null,
    prepare_position bigint      not null,
    updated_at       timestamptz not null default now()
);

-- Events that a view could not take, and those that came after them in the same stream.
create table public.projection_parked_event (
    view             text        not null,
    commit_position  bigint      not null,
    prepare_position bigint      not null,
    stream           text        not null,
    revision         bigint      not null,
    event_id         uuid        not null,
    event_type       text        not null,
    error            text        not null,
    attempts         integer     not null,
    parked_at        timestamptz not null default now(),
    primary key (view, commit_position, prepare_position)
);

create index projection_parked_event_stream on public.projection_parked_event (view, stream, revision);
