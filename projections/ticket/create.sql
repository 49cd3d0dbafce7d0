-- Codes are ordered by their bytes, which is the same order on every server, and several times as fast as that of a language.
create table ticket (
  stream             text        collate "C" not null,
  id                 uuid        not null,
  number             text        not null,
  phase              text        collate "C" not null,
  received_at        timestamptz not null,
  source_system      text        collate "C" not null,
  kind               text        collate "C" not null,
  channel            text        collate "C" not null,
  priority           text        collate "C" not null,
  category           text        collate "C" not null,
  subcategory        text        collate "C" not null,
  product            text        collate "C" not null,
  location           text        collate "C" not null,
  team               text        collate "C" not null,
  agent              text        collate "C" not null,
  source_key         text        not null,
  attributes         jsonb       not null,
  -- Those of the attributes that hold an instant, in microseconds since 1970.
  instants           jsonb       not null,
  customer           text        collate "C" not null,
  name               text,
  contact            text,
  title              text,
  description        text,
  -- The names of the texts above that were there and are forgotten.
  forgotten          jsonb       not null,
  status             text        collate "C" not null,
  wait_reason        text        collate "C" not null,
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
alter table ticket
  alter column attributes set statistics 0, alter column instants set statistics 0, alter column forgotten set statistics 0,
  alter column name set statistics 0, alter column contact set statistics 0, alter column title set statistics 0,
  alter column description set statistics 0;
