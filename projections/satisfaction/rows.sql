select {columns}
from view_satisfaction.rating r
left join view_ticket.ticket t on t.id = r.ticket
where {where}
order by {order}
limit {limit}
