with mark as (
  select
    e.ticket,
    {from_pick}(e.occurred_at) filter (where {from_is}) as from_at,
    {to_pick}(e.occurred_at) filter (where {to_is}) as to_at
  from view_timeline.entry e
  where (({from_is}) or ({to_is})) and e.ticket in (select t.id from view_ticket.ticket t where {where})
  group by e.ticket
)
select
  grp,
  count(*),
  coalesce(sum(seconds), 0)::float8,
  avg(seconds)::float8,
  percentile_cont(0.5) within group (order by seconds::float8),
  percentile_cont(0.9) within group (order by seconds::float8),
  min(seconds)::float8,
  max(seconds)::float8
from (
  select {group} as grp, extract(epoch from {to_at} - {from_at}) as seconds
  from view_ticket.ticket t
  left join mark on mark.ticket = t.id
  where {where}
) chosen
where seconds is not null
group by grp
order by grp
