select
  grp,
  count(*),
  coalesce(sum(source_rows), 0),
  coalesce(avg(source_rows), 0)::float8,
  coalesce(percentile_cont(0.5) within group (order by source_rows), 0),
  coalesce(max(source_rows), 0),
  count(*) filter (where reopened > 0),
  coalesce(sum(reopened), 0),
  count(*) filter (where reassigned > 0),
  coalesce(sum(reassigned), 0),
  count(*) filter (where first_resolved_at is not null)
from (
  select {group} as grp, t.source_rows, t.reopened, t.reassigned, t.first_resolved_at
  from view_ticket.ticket t
  where {where}
) chosen
group by grp
order by grp
