select {columns}
from view_ticket.ticket t
where {where}
order by {order}
limit {limit}
