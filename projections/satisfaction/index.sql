create index answer_stream on answer (stream);
create index answer_at on answer (at, ticket, revision) where given;
create index answer_ticket on answer (ticket) where given;
