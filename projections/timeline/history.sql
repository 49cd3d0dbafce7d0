select {columns}
from view_timeline.entry e
where {where}
order by e.revision {direction}
limit {limit}
