-- Makes the tables of a metric in the schema that is first in the search path, for a role of the metric's own.
-- Run as the projector's user; what is in {braces} is put in by Tables.
do ${tag}$
declare
  home  constant text := current_schema();
  here  constant oid  := (select oid from pg_catalog.pg_database where datname = current_database());
  owner constant text := 'aftercare_metric_' || here || '_' || {name};
  bi    constant text := 'aftercare_bi_' || here;
  strange text;
  shown   text;
begin
  if not exists (select from aftercare.metric where name = {name} and mark = {mark}) then
    raise exception 'metric % is not installed', {name};
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = owner) then
    execute format('create role %I nologin', owner);
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = bi) then
    execute format('create role %I nologin', bi);
  end if;
  if not pg_catalog.pg_has_role(current_user, owner, 'member') then
    execute format('grant %I to %I', owner, current_user);
  end if;

  execute format('grant usage, create on schema %I to %I', home, owner);
  -- Statements of a file, one after another, as the metric's role. A temporary table or type would stand before those of other views, on
  -- this connection.
  execute format($f$
    create function %I.aftercare_run(statements text[]) returns void
    language plpgsql security definer set standard_conforming_strings = on set jit = off as $body$
    declare
      statement text;
      elsewhere text;
    begin
      foreach statement in array statements loop execute statement; end loop;
      select pg_catalog.format('%%I.%%I', n.nspname, made.name) into elsewhere
        from (
          select relname as name, relnamespace as home from pg_catalog.pg_class
           where relowner = current_user::regrole and relkind not in ('i', 'I', 't')
           union all
          select typname, typnamespace from pg_catalog.pg_type where typowner = current_user::regrole
        ) made join pg_catalog.pg_namespace n on n.oid = made.home
       where not pg_catalog.starts_with(n.nspname, %L) and n.nspname <> 'pg_toast'
       limit 1;
      if elsewhere is not null then
        raise exception 'a metric may make things in its own schema only, not %%', elsewhere using errcode = 'insufficient_privilege';
      end if;
    end $body$ $f$, home, 'view_metric_' || {name});
  -- Rows of a question, as the metric's role; the values that were given are $1.
  execute format($f$
    create function %I.aftercare_ask(question text, given text[]) returns setof jsonb
    language plpgsql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $body$
    begin
      return query execute question using given;
    end $body$ $f$, home);
  execute format('alter function %I.aftercare_run(text[]) owner to %I', home, owner);
  execute format('alter function %I.aftercare_ask(text, text[]) owner to %I', home, owner);
  execute format('revoke all on function %I.aftercare_run(text[]), %I.aftercare_ask(text, text[]) from public', home, home);
  execute format('grant execute on function %I.aftercare_run(text[]), %I.aftercare_ask(text, text[]) to %I', home, home, session_user);

  perform set_config('search_path', format('%I, pg_temp', home), true);
  execute format('select %I.aftercare_run($1)', home) using {create};
  set local search_path to pg_catalog;
  execute format('revoke create on schema %I from %I', home, owner);

  -- Nothing that others would run.
  select string_agg(p.oid::regprocedure::text, ', ') into strange
    from pg_catalog.pg_proc p
   where p.proowner = owner::regrole and p.proname not in ('aftercare_run', 'aftercare_ask')
     and p.prokind <> 'a' and not exists ( -- constructors of range types belong to them
       select from pg_catalog.pg_depend d where d.objid = p.oid and d.classid = 'pg_proc'::regclass and d.deptype = 'i');
  if strange is not null then
    raise exception 'a metric may not have functions: %', strange;
  end if;
  select string_agg(t.tgname, ', ') into strange
    from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid
   where c.relowner = owner::regrole and not t.tgisinternal;
  if strange is not null then
    raise exception 'a metric may not have triggers: %', strange;
  end if;

  if not exists (select from pg_catalog.pg_class c where c.relnamespace = home::regnamespace and c.relname = {result} and c.relkind in ('r', 'p', 'v')) then
    raise exception 'create.sql makes no table or view named %', {result} using errcode = 'undefined_table';
  end if;
  execute format('grant usage on schema %I to %I', home, bi);
  select string_agg(quote_ident(a.attname), ', ') into shown
    from pg_catalog.pg_attribute a where a.attrelid = format('%I.%I', home, {result})::regclass and a.attname = any({open});
  if shown is not null then
    execute format('grant select (%s) on %I.%I to %I', shown, home, {result}, bi);
  end if;
  execute format('comment on schema %I is %L', home, {mark});
  perform set_config('search_path', format('%I, public', home), true);
end ${tag}$
