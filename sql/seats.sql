create function booking.seat_grid(rows integer, letters text, section text default '') returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
as $$
    -- A space is an aisle: it leaves out a position, and whoever sits beyond it is no neighbour.
    select jsonb_agg(
               jsonb_build_object(
                   'label', case section when '' then '' else section || ' ' end || r || letter,
                   'section', section, 'row', r::text, 'position', place)
               order by r, place)
    from generate_series(1, rows) as r
    cross join regexp_split_to_table(letters, '') with ordinality as letter(letter, place)
    where letter not in (' ', '')
$$;

create function booking.seat_map(resource text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
as $$
declare
    -- Up to so many seats in a row they are drawn with a space between them.
    roomy constant integer := 36;
    drawing text := '';
    wide boolean;
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
            hint = 'Create it with booking.create_seats(name, seats).';
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
            select section, min(rank) as first_rank, min("position") as leftmost,
                   max("position") - min("position") + 1 as width, max(length("row")) as margin
            from drawn group by section),
        rows as (
            select d.section, d."row", d.rank, s.leftmost, s.width, s.margin, s.first_rank,
                   array_agg(d.sign order by d."position") as signs,
                   array_agg(d."position" order by d."position") as positions
            from drawn d join sections s using (section)
            group by d.section, d."row", d.rank, s.leftmost, s.width, s.margin, s.first_rank)
        select r.*, r.rank = r.first_rank as opens,
               (select string_agg(coalesce(r.signs[array_position(r.positions, place)], ' '),
                                  case when r.width <= roomy then ' ' else '' end order by place)
                from generate_series(r.leftmost, r.leftmost + r.width - 1) as place) as picture
        from rows r
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
