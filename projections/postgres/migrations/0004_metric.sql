-- Read models that are defined by SQL files.
create table aftercare.metric (
    name         text primary key,
    manifest     jsonb       not null,
    create_sql   text        not null,
    apply_sql    text        not null,
    installed_at timestamptz not null default clock_timestamp()
);
