select count(*)
from view_ticket.ticket t
where {where}
