select {columns}
from view_sla.clock c
where c.ticket = any({tickets})
order by c.ticket, c.origin, c.instance, c.clock, c.recorded_by
