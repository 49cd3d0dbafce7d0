select
  status,
  grp,
  count(*),
  count(distinct ticket),
  coalesce(sum(seconds), 0)::float8,
  avg(seconds)::float8,
  percentile_cont(0.5) within group (order by seconds::float8),
  percentile_cont(0.9) within group (order by seconds::float8)
from (
  select e.ticket, e.status, {group} as grp, extract(epoch from e.next_at - e.occurred_at) as seconds
  from (
    select
      entry.ticket, entry.status, entry.occurred_at,
      lead(entry.occurred_at) over (partition by entry.ticket order by entry.seq) as next_at
    from view_timeline.entry
    where entry.seq > 0
  ) e
  join view_ticket.ticket t on t.id = e.ticket
  where {where}
) stay
where seconds is not null
group by status, grp
order by status, grp
