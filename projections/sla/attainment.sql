select
  grp,
  count(*) filter (where state = 'met'),
  count(*) filter (where state = 'met_late'),
  count(*) filter (where state = 'breached'),
  count(*) filter (where state = 'missed'),
  count(*) filter (where state = 'running'),
  count(*) filter (where state = 'cancelled'),
  count(*) filter (where state = 'superseded'),
  percentile_cont(0.5) within group (order by overrun_seconds) filter (where state = 'met_late'),
  percentile_cont(0.9) within group (order by overrun_seconds) filter (where state = 'met_late'),
  percentile_cont(0.95) within group (order by overrun_seconds) filter (where state = 'met_late')
from (
  select
    {group} as grp,
    c.overrun_seconds,
    case
      when c.superseded_by <> 0 then 'superseded'
      when c.verdict = 'running' and c.paused_at is null and c.due_at < {as_of} then 'breached'
      else c.verdict
    end as state
  from view_sla.clock c
  left join view_ticket.ticket t on t.id = c.ticket
  where {where}
) chosen
group by grp
order by grp
