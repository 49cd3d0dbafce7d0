create index promise_stream on promise (stream);
create index promise_clock on promise (ticket, clock, origin) where origin <> 'case';
create index promise_due on promise (due_at) where origin <> 'case';
