create table ticket (
  stream             text        not null,
  id                 uuid        not null,
  number             text        not null,
  phase              text        not null,
  received_at        timestamptz not null,
  source_system      text        not null,
  kind               text        not null,
  channel            text        not null,
  priority           text        not null,
  category           text        not null,
  subcategory        text        not null,
  product            text        not null,
  location           text        not null,
  team               text        not null,
  agent              text        not null,
  source_key         text        not null,
  attributes         jsonb       not null,
  -- Those of the attributes that hold an instant, in microseconds since 1970.
  instants           jsonb       not null,
  customer           text        not null,
  name               text,
  contact            text,
  title              text,
  description        text,
  -- The names of the texts above that were there and are forgotten.
  forgotten          jsonb       not null,
  status             text        not null,
  wait_reason        text        not null,
  acknowledged_at    timestamptz,
  first_responded_at timestamptz,
  first_resolved_at  timestamptz,
  resolved_at        timestamptz,
  closed_at          timestamptz,
  cancelled_at       timestamptz,
  first_event_at     timestamptz not null,
  last_event_at      timestamptz not null,
  reopened           integer     not null,
  reassigned         integer     not null,
  source_rows        integer     not null,
  facts              integer     not null,
  revision           bigint      not null,
  commit_position    bigint      not null,
  -- What is searched for words. A tsvector holds 1 MB, so very long descriptions are searched at their beginning.
  words              tsvector    generated always as (
    to_tsvector('simple', left(coalesce(title, ''), 20000) || ' ' || left(coalesce(description, ''), 100000))
  ) stored
);

-- No query looks for values in these; statistics of them would take longer than all others.
alter table ticket alter column instants set statistics 0, alter column forgotten set statistics 0;
