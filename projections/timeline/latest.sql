select {columns}
from unnest({tickets}::uuid[]) as wanted (id)
cross join lateral (
  select {names}
  from view_timeline.entry
  where ticket = wanted.id
  order by revision desc
  limit {limit}
) e
