-- Every object of the extension with all that makes it what it is, a line each: its definition, its owner, who may do what
-- with it, and its comment.
with member as (
    select classid, objid from pg_depend
    where refclassid = 'pg_extension'::regclass and deptype = 'e'
      and refobjid = (select oid from pg_extension where extname = 'booking')
), relation as (
    select c.* from pg_class c join member m on m.classid = 'pg_class'::regclass and m.objid = c.oid
), function as (
    select p.* from pg_proc p join member m on m.classid = 'pg_proc'::regclass and m.objid = p.oid
), type as (
    select t.* from pg_type t join member m on m.classid = 'pg_type'::regclass and m.objid = t.oid
), composite as (
    select c.* from pg_class c join type t on t.typrelid = c.oid
), acl as (
    select 'relation ' || oid::regclass as object, relacl as acl, relkind as kind, relowner as owner from relation
    union all
    select 'function ' || oid::regprocedure, proacl, 'f', proowner from function
    union all
    select 'type ' || oid::regtype, typacl, 'T', typowner from type
    union all
    select 'schema ' || n.nspname, n.nspacl, 'n', n.nspowner
    from pg_namespace n join member m on m.classid = 'pg_namespace'::regclass and m.objid = n.oid
), line as (
    select 'member ' || pg_describe_object(classid, objid, 0) as line from member
    union all
    select 'comment ' || pg_describe_object(classid, objid, 0) || ': ' || coalesce(obj_description(objid, classid::regclass::name), '-')
    from member
    union all
    select 'function ' || pg_get_functiondef(oid) || ' rows ' || prorows || ' cost ' || procost || ' support ' || prosupport
    from function where prokind <> 'a'
    union all
    select 'relation ' || concat_ws(' ', oid::regclass, relkind, relpersistence, coalesce(reloptions::text, '-'), relreplident, relrowsecurity)
    from relation
    union all
    select 'column ' || r.oid::regclass || ' ' || row_number() over (partition by r.oid order by a.attnum) || ' ' || a.attname
           || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || coalesce(a.attcollation::regcollation::text, '-')
           || concat_ws(' ', '', a.attnotnull, a.attidentity, a.attgenerated, a.attstorage, a.attcompression, '')
           || coalesce((select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = r.oid and d.adnum = a.attnum), '-')
           || ': ' || coalesce(col_description(r.oid, a.attnum), '-')
    from (select oid from relation union all select oid from composite) r
    join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    union all
    select 'constraint ' || coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text) || ' ' || conname || ' '
           || pg_get_constraintdef(oid) || ' ' || convalidated
    from pg_constraint
    where conrelid in (select oid from relation) or contypid in (select oid from type)
    union all
    select 'index ' || pg_get_indexdef(i.indexrelid) || ' ' || coalesce(c.reloptions::text, '-') || ' ' || i.indisvalid
    from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid in (select oid from relation)
    union all
    select 'trigger ' || pg_get_triggerdef(oid) from pg_trigger where tgrelid in (select oid from relation) and not tgisinternal
    union all
    select 'rule ' || pg_get_ruledef(oid) from pg_rewrite where ev_class in (select oid from relation)
    union all
    select 'statistics ' || pg_get_statisticsobjdef(oid) from pg_statistic_ext where stxrelid in (select oid from relation)
    union all
    select 'label ' || t.oid::regtype || ' ' || row_number() over (partition by t.oid order by e.enumsortorder) || ' ' || e.enumlabel
    from type t join pg_enum e on e.enumtypid = t.oid
    union all
    select 'domain ' || oid::regtype || ' ' || format_type(typbasetype, typtypmod) || ' ' || coalesce(typdefault, '-') || typnotnull
    from type where typtype = 'd'
    union all
    select 'privilege ' || a.object || ' ' || coalesce(nullif(p.grantee, 0)::regrole::text, 'public') || ' ' || p.privilege_type
           || ' ' || p.is_grantable
    from acl a
    cross join lateral aclexplode(coalesce(a.acl, acldefault(
        (case a.kind when 'f' then 'f' when 'T' then 'T' when 'n' then 'n' when 'S' then 's' else 'r' end)::"char", a.owner))) p
    union all
    select 'owner ' || object || ' ' || owner::regrole from acl
    union all
    select 'dumped ' || t.oid::regclass || ' ' || e.extcondition[t.n]
    from pg_extension e cross join unnest(e.extconfig) with ordinality t(oid, n) where e.extname = 'booking'
    union all
    select 'extension ' || extname || ' ' || extversion || ' ' || extnamespace::regnamespace || ' ' || extrelocatable
    from pg_extension where extname = 'booking'
)
select line from line order by line collate "C";
