-- Codes are ordered by their bytes, which is the same order on every server, and several times as fast as that of a language.
create table answer (
  stream            text        collate "C" not null,
  ticket            uuid        not null,
  -- False for what the fold knows of the case itself.
  given             boolean     not null,
  revision          bigint      not null,
  at                timestamptz not null,
  -- As wide as events may say: what an older program recorded must not stop the view.
  score             bigint      not null,
  min               bigint      not null,
  max               bigint      not null,
  comment           text,
  comment_forgotten boolean     not null,
  latest            boolean     not null,
  received_at       timestamptz not null,
  source_system     text        collate "C" not null,
  kind              text        collate "C" not null,
  channel           text        collate "C" not null,
  priority          text        collate "C" not null,
  category          text        collate "C" not null,
  subcategory       text        collate "C" not null,
  product           text        collate "C" not null,
  location          text        collate "C" not null,
  team              text        collate "C" not null,
  agent             text        collate "C" not null
);

create view rating as
select
  ticket, revision, at, score, min, max, comment, comment_forgotten, latest, received_at, source_system, kind, channel,
  priority, category, subcategory, product, location, team, agent
from answer
where given;

-- No query looks for values in it.
alter table answer alter column comment set statistics 0;
