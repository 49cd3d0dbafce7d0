create table answer (
  stream            text        not null,
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
  source_system     text        not null,
  kind              text        not null,
  channel           text        not null,
  priority          text        not null,
  category          text        not null,
  subcategory       text        not null,
  product           text        not null,
  location          text        not null,
  team              text        not null,
  agent             text        not null
);

create view rating as
select
  ticket, revision, at, score, min, max, comment, comment_forgotten, latest, received_at, source_system, kind, channel,
  priority, category, subcategory, product, location, team, agent
from answer
where given;
