-- Read models that are defined by SQL files, each definition that was ever installed: the three files as they were written. Which one is live
-- is not said here but by the comment on the schema of the tables, which changes together with them.
create table aftercare.metric (
    name         text        not null,
    -- Identifies the definition; it is the comment on the schemas whose tables it made.
    mark         text        not null,
    manifest     text        not null,
    create_sql   text        not null,
    apply_sql    text        not null,
    installed_at timestamptz not null default clock_timestamp(),
    -- Why it is parked, null while it is not: then no runner keeps it.
    error        text,
    parked_at    timestamptz,
    primary key (name, mark)
);
