create function booking.seat_grid(rows integer, letters text, section text default '') returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$
    -- A space is an aisle: it leaves out a position, so that the seats beside it are no neighbours.
    select coalesce(
               jsonb_agg(
                   jsonb_build_object(
                       'label', case section when '' then '' else section || ' ' end || r || letter,
                       'section', section, 'row', r::text, 'position', place)
                   order by r, place),
               '[]')
    from generate_series(1, rows) as r
    cross join regexp_split_to_table(letters, '') with ordinality as letter(letter, place)
    where letter not in (' ', '')
$$;

create function booking.seat_map(resource text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    -- A section of at most so many columns is drawn with a space between its seats.
    roomy constant integer := 36;
    widest_gap constant integer := 4;
    drawing text := '';
    line record;
begin
    if seat_map.resource is null then
        raise exception using
            errcode = 'null_value_not_allowed',
            message = 'argument "resource" must not be null';
    end if;
    if not exists (select from booking.resources r where r.name = seat_map.resource and r.kind = 'seats') then
        raise exception using
            errcode = case when exists (select from booking.resources r where r.name = seat_map.resource)
                then 'invalid_parameter_value' else 'undefined_object' end,
            message = case when exists (select from booking.resources r where r.name = seat_map.resource)
                then format('resource "%s" has no seats', seat_map.resource)
                else format('resource "%s" does not exist', seat_map.resource) end,
            hint = case (select r.kind::text from booking.resources r where r.name = seat_map.resource)
                when 'calendar' then 'It is a calendar: booking.calendar_map(resource, month) draws it.'
                when 'pool' then 'It is a pool: booking.availability(resource) tells what is left of it.'
                else 'Create it with booking.create_seats(name, seats).' end;
    end if;
    for line in
        with drawn as (
            select s.section, s."row", s.rank, s."position",
                   case when s.blocked then '-'
                        when s.hold_id is null then '.'
                        when h.state = 'confirmed' then '#'
                        when h.state = 'held' and h.expires_at > clock_timestamp() then 'o'
                        else '.' end as sign
            from booking.seats s
            left join booking.holds h on h.id = s.hold_id and h.resource = s.resource
            where s.resource = seat_map.resource),
        sections as (
            select section, min(rank) as first_rank, max(length("row")) as margin
            from drawn group by section),
        -- A column that no row of the section has a seat in stays empty. A wide gap is drawn narrower.
        steps as (
            select section, "position",
                   least("position" - lag("position", 1, "position" - 1) over (
                       partition by section order by "position"), widest_gap + 1) as step
            from (select distinct section, "position" from drawn) as places),
        columns as (
            select section, "position", sum(step) over (partition by section order by "position") as place,
                   sum(step) over (partition by section) as width
            from steps),
        placed as (
            select d.section, d."row", d.rank, d.sign, c.place,
                   case when c.width <= roomy then 2 else 1 end as breadth,
                   lag(c.place) over (partition by d.rank order by c.place) as before
            from drawn d join columns c using (section, "position")),
        rows as (
            select section, "row", rank, string_agg(
                       repeat(' ', coalesce((place - before) * breadth - 1, (place - 1) * breadth)::integer)
                           || sign, '' order by place) as picture
            from placed group by section, "row", rank)
        select r.*, s.margin, r.rank = s.first_rank as opens
        from rows r join sections s using (section)
        order by r.rank
    loop
        if line.opens then
            drawing := drawing || case when drawing = '' then '' else E'\n' end
                || case line.section when '' then '' else line.section || E'\n' end;
        end if;
        drawing := drawing || rtrim('  ' || lpad(line."row", line.margin) || '  ' || line.picture) || E'\n';
    end loop;
    return drawing || E'\n  . free   o held   # confirmed   - blocked';
end
$$;
