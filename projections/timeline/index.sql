create unique index entry_history on entry (ticket, revision);
create index entry_status on entry (ticket, seq) include (status, occurred_at) where seq > 0;
create index entry_fact on entry (fact, ticket) include (occurred_at) where fact not in ('', 'status-recorded');
