select {columns}
from unnest({tickets}::uuid[]) as wanted (id)
cross join lateral (
  select * from view_timeline.entry entry where entry.ticket = wanted.id order by entry.revision asc limit {limit}
) e
