with fact as (
    select stream, revision, split_part(type, '.', 2) as fact, occurred_at as at from batch
), step_of as (
    select f.stream, coalesce(lag(f.fact) over w, l.fact) as from_fact, f.fact as to_fact, f.at - coalesce(lag(f.at) over w, l.at) as gap
      from fact f left join last_fact l using (stream)
    window w as (partition by f.stream order by f.revision)
)
insert into step (from_fact, to_fact, seconds, stream)
select from_fact, to_fact, extract(epoch from gap), stream from step_of where from_fact is not null;

insert into last_fact (stream, fact, at)
select distinct on (stream) stream, split_part(type, '.', 2), occurred_at from batch order by stream, revision desc
on conflict (stream) do update set fact = excluded.fact, at = excluded.at;
