select
  grp,
  count(*),
  min(min),
  max(min),
  min(max),
  max(max),
  sum(score)::float8,
  sum(score::float8 * score),
  count(percent),
  coalesce(sum(percent), 0),
  coalesce(sum(percent * percent), 0),
  count(*) filter (where top)
from (
  select
    {group} as grp,
    r.min, r.max, r.score,
    {percent} as percent,
    -- Without a division: 4 of 1..5 is exactly at the edge.
    4 * (r.score::numeric - r.min) >= 3 * (r.max::numeric - r.min) as top
  from view_satisfaction.rating r
  left join view_ticket.ticket t on t.id = r.ticket
  where {where}
) chosen
group by grp
order by grp
