insert into promise as p (stream, instance, clock, definition, definition_version)
select distinct on (stream, instance)
       stream, (data->>'instance')::int as instance, data->>'clock', data->'promise'->'definition'->>'id',
       (data->'promise'->'definition'->>'version')::int
  from batch
 where type = 'clock.started.v1'
 order by stream, instance, revision
on conflict (stream, instance) do update
   set clock = excluded.clock, definition = excluded.definition, definition_version = excluded.definition_version
 where p.clock is null;

insert into promise (stream, instance, verdict)
select distinct on (stream, instance) stream, (data->>'instance')::int as instance, split_part(type, '.', 2)
  from batch
 where type <> 'clock.started.v1'
 order by stream, instance, revision desc
on conflict (stream, instance) do update set verdict = excluded.verdict;
