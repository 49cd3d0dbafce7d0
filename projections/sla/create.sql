-- Codes are ordered by their bytes, which is the same order on every server, and several times as fast as that of a language.
create table promise (
  stream             text        collate "C" not null,
  ticket             uuid        not null,
  -- "ours", "source_target", "source_verdict"; "case" is what the fold knows of the case itself.
  origin             text        collate "C" not null,
  instance           integer     not null,
  clock              text        collate "C" not null,
  recorded_by        text        collate "C" not null,
  definition         text        collate "C" not null,
  definition_version integer     not null,
  calendar           text        collate "C" not null,
  calendar_version   integer     not null,
  started_at         timestamptz,
  due_at             timestamptz,
  promised_due_at    timestamptz,
  stopped_at         timestamptz,
  breached_at        timestamptz,
  paused_at          timestamptz,
  pause_reason       text        collate "C" not null,
  verdict            text        collate "C" not null,
  elapsed_seconds    bigint,
  overrun_seconds    bigint,
  paused_seconds     bigint      not null,
  supersedes         integer     not null,
  superseded_by      integer     not null,
  reason             text        collate "C" not null,
  promise            jsonb       not null,
  counted            jsonb       not null,
  -- When the case last came to a stop, by fact; of the row "case" only.
  stops              jsonb       not null,
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
  agent              text        collate "C" not null
);

-- No query looks for values in these; statistics of them would take longer than all others.
alter table promise
  alter column promise set statistics 0, alter column counted set statistics 0, alter column stops set statistics 0;

create view clock as
select
  ticket, origin, instance, clock, recorded_by, definition, definition_version, calendar, calendar_version, started_at,
  due_at, promised_due_at, stopped_at, breached_at, paused_at, pause_reason, verdict, elapsed_seconds, overrun_seconds,
  paused_seconds, supersedes, superseded_by, reason, promise, counted, received_at, source_system, kind, channel, priority,
  category, subcategory, product, location, team, agent
from promise
where origin <> 'case';
