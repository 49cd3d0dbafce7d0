create table promise (
  stream             text        not null,
  ticket             uuid        not null,
  -- "ours", "source_target", "source_verdict"; "case" is what the fold knows of the case itself.
  origin             text        not null,
  instance           integer     not null,
  clock              text        not null,
  recorded_by        text        not null,
  definition         text        not null,
  definition_version integer     not null,
  calendar           text        not null,
  calendar_version   integer     not null,
  started_at         timestamptz,
  due_at             timestamptz,
  promised_due_at    timestamptz,
  stopped_at         timestamptz,
  breached_at        timestamptz,
  paused_at          timestamptz,
  pause_reason       text        not null,
  verdict            text        not null,
  elapsed_seconds    bigint,
  overrun_seconds    bigint,
  paused_seconds     bigint      not null,
  supersedes         integer     not null,
  superseded_by      integer     not null,
  reason             text        not null,
  promise            jsonb       not null,
  counted            jsonb       not null,
  -- When the case last came to a stop, by fact; of the row "case" only.
  stops              jsonb       not null,
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
  agent              text        not null
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
