-- What is known of each promise: how it was made, and the last verdict on it. Either may come first.
create table promise (
    stream             text    not null,
    instance           integer not null,
    clock              text,
    definition         text,
    definition_version integer,
    verdict            text,
    primary key (stream, instance)
);

create view verdict as
select clock, definition, definition_version, promised, running, met, met_late, breached, withdrawn,
       round((met_late + breached)::numeric / nullif(met + met_late + breached, 0), 4) as breach_rate
  from (
    select clock, definition, definition_version, count(*) as promised,
           count(*) filter (where verdict is null) as running,
           count(*) filter (where verdict = 'met') as met,
           count(*) filter (where verdict = 'met-late') as met_late,
           count(*) filter (where verdict = 'breached') as breached,
           count(*) filter (where verdict in ('cancelled', 'superseded')) as withdrawn
      from promise
     where clock is not null
     group by clock, definition, definition_version
  ) counted;
