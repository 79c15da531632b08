-- What \dx+, \df and \d show of the extension.
-- Of types only those that were created as such: from version 17 on, the row types of tables and the arrays belong to the
-- extension too.
select object
from pg_depend, pg_describe_object(classid, objid, objsubid) as object
where refclassid = 'pg_extension'::regclass and deptype = 'e'
  and refobjid = (select oid from pg_extension where extname = 'booking')
  and not (classid = 'pg_type'::regclass and exists (
      select from pg_type as t left join pg_class as c on c.oid = t.typrelid
      where t.oid = objid and (t.typcategory = 'A' or c.relkind <> 'c')))
order by object collate "C";
select p.proname as name, pg_get_function_arguments(p.oid) as arguments, pg_get_function_result(p.oid) as result
from pg_proc p where p.pronamespace = 'booking'::regnamespace order by 1;

-- Every verb runs with its owner's rights; only the grants run with the caller's. Functions in C pin the search path themselves.
select prosecdef as definer, proconfig as settings, provolatile as volatility, array_agg(proname order by proname) as functions
from pg_proc where pronamespace = 'booking'::regnamespace
group by 1, 2, 3 order by 1, 2, 3;

-- Every function, table, view and type has a comment, and every column of them.
select uncommented
from (
    select 'function ' || proname from pg_proc
    where pronamespace = 'booking'::regnamespace and obj_description(oid, 'pg_proc') is null
    union all
    select 'relation ' || relname from pg_class
    where relnamespace = 'booking'::regnamespace and relkind in ('r', 'v') and obj_description(oid, 'pg_class') is null
    union all
    select 'column ' || attrelid::regclass || '.' || attname from pg_attribute
    join pg_class c on c.oid = attrelid
    where relnamespace = 'booking'::regnamespace and relkind in ('r', 'v', 'c')
      and attnum > 0 and not attisdropped and col_description(attrelid, attnum) is null
    union all
    select 'type ' || typname from pg_type t left join pg_class c on c.oid = typrelid
    where typnamespace = 'booking'::regnamespace and (typtype in ('e', 'd') or c.relkind = 'c')
      and obj_description(t.oid, 'pg_type') is null
    union all
    select 'schema' where obj_description('booking'::regnamespace, 'pg_namespace') is null) as nothing(uncommented)
order by uncommented collate "C";
-- The number of columns that the query above looked at, which proves that it looked at those of views.
select case relkind when 'r' then 'table' when 'v' then 'view' else 'type' end as of_a, count(*) as columns
from pg_attribute join pg_class c on c.oid = attrelid
where relnamespace = 'booking'::regnamespace and relkind in ('r', 'v', 'c') and attnum > 0
group by 1 order by 1;

-- The planner expects one row of each function that returns one.
select proname, prorows from pg_proc
where pronamespace = 'booking'::regnamespace and proretset and prorows <> 1000 order by 1;

-- pg_dump dumps every table with its rows.
select c.relname, c.oid = any (e.extconfig) as dumped
from pg_class c, pg_extension e
where c.relnamespace = 'booking'::regnamespace and relkind = 'r' and extname = 'booking' order by 1;

-- Every unique index contains the resource, so that the tables can be distributed by it.
select indexrelid::regclass as index, pg_get_indexdef(indexrelid) ~ '\m(resource|name)\M' as has_resource
from pg_index where indrelid in ('booking.resources'::regclass, 'booking.holds'::regclass) and indisunique order by 1;
select count(*) as sequences from pg_class where relnamespace = 'booking'::regnamespace and relkind = 'S';
select count(*) as triggers from pg_trigger where tgrelid in ('booking.resources'::regclass, 'booking.holds'::regclass);

-- The extension cannot move to another schema.
alter extension booking set schema public;
