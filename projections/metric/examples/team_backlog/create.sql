-- Where each ticket stands, for the next batch to go on from.
create table ticket (
    stream text primary key,
    team   text    not null,
    open   boolean not null
);

-- What each day changed. Days without a change have no row.
create table change (
    day      date   not null,
    team     text   not null,
    received bigint not null,
    finished bigint not null,
    reopened bigint not null,
    -- How many more tickets were open at the end of the day than at its beginning.
    net      bigint not null,
    primary key (day, team)
);

create view backlog as
select day, team, received, finished, reopened, (sum(net) over (partition by team order by day))::bigint as open
  from change
 where (received, finished, reopened, net) <> (0, 0, 0, 0);
