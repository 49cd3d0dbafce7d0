-- The last fact of each ticket, where the next batch goes on.
create table last_fact (
    stream text primary key,
    fact   text        not null,
    at     timestamptz not null
);

-- Every step from one fact to the next. The median needs all of them.
create table step (
    from_fact text not null,
    to_fact   text not null,
    seconds   double precision not null,
    stream    text not null
);

create index on step (from_fact, to_fact, seconds);

create view edge as
select from_fact, to_fact, count(*) as times, count(distinct stream) as tickets,
       percentile_cont(0.5) within group (order by seconds) as median_gap
  from step
 group by from_fact, to_fact;
