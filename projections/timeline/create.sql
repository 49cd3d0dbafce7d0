-- Codes are ordered by their bytes, which is the same order on every server, and several times as fast as that of a language.
create table entry (
  ticket           uuid        not null,
  revision         bigint      not null,
  commit_position  bigint      not null,
  prepare_position bigint      not null,
  event_id         uuid        not null,
  type             text        collate "C" not null,
  -- The middle of the stored name of a fact of the case; empty for clocks and for the answers of programs.
  fact             text        collate "C" not null,
  -- The word, and the place from 1, of a row of a foreign history.
  status           text        collate "C" not null,
  seq              integer     not null,
  occurred_at      timestamptz not null,
  recorded_at      timestamptz not null,
  principal        text        collate "C" not null,
  on_behalf_of     text        collate "C" not null,
  channel          text        collate "C" not null,
  command_id       uuid        not null,
  correlation_id   uuid        not null,
  causation_id     uuid        not null,
  -- The payload without texts, and without the stretches that a promise counts: those are in the view sla.
  detail           jsonb       not null,
  texts            jsonb       not null
);

-- No query looks for values in these; statistics of them would take longer than all others.
alter table entry alter column detail set statistics 0, alter column texts set statistics 0;
