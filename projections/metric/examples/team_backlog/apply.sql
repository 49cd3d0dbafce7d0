with said as (
    -- What each event says of the ticket; null where it says nothing.
    select b.stream, b.revision, (b.occurred_at at time zone 'UTC')::date as day, split_part(b.type, '.', 2) as fact,
           nullif(b.data->>'team', '') as team,
           case split_part(b.type, '.', 2)
             when 'received' then true when 'reopened' then true
             when 'resolved' then false when 'closed' then false when 'cancelled' then false
           end as open
      from batch b
), numbered as (
    select s.*, count(team) over w as teams, count(open) over w as opens
      from said s
    window w as (partition by stream order by revision)
), stand as (
    -- The ticket after each event: the last thing that was said, or what is known from before.
    select n.stream, n.revision, n.day, n.fact,
           coalesce(max(n.team) over (partition by n.stream, n.teams), t.team, '') as team,
           coalesce(bool_or(n.open) over (partition by n.stream, n.opens), t.open, false) as open
      from numbered n left join ticket t using (stream)
), moved as (
    select s.*, coalesce(lag(s.team) over w, t.team, '') as old_team, coalesce(lag(s.open) over w, t.open, false) as was_open
      from stand s left join ticket t using (stream)
    window w as (partition by s.stream order by s.revision)
), counted as (
    select day, team, (fact = 'received')::int as received, (was_open and not open)::int as finished,
           (fact = 'reopened' and not was_open)::int as reopened, open::int as net
      from moved
    union all
    select day, old_team, 0, 0, 0, -was_open::int from moved
), latest as (
    insert into ticket (stream, team, open)
    select distinct on (stream) stream, team, open from stand order by stream, revision desc
    on conflict (stream) do update set team = excluded.team, open = excluded.open
)
insert into change as c (day, team, received, finished, reopened, net)
select day, team, sum(received), sum(finished), sum(reopened), sum(net) from counted
 group by day, team
on conflict (day, team) do update
   set received = c.received + excluded.received, finished = c.finished + excluded.finished,
       reopened = c.reopened + excluded.reopened, net = c.net + excluded.net;
