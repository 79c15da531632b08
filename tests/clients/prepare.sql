-- What each program's database has beside the page's own preparation.
-- The first attempt to place an order fails at its COMMIT, the second at its INSERT, the third succeeds.
-- A sequence is not rolled back, so it counts the attempts.
create sequence attempts;

create function fail_in_the_statement() returns trigger language plpgsql security definer as $$
begin
    if nextval('public.attempts') = 2 then
        raise exception 'deadlock detected (made by the test)' using errcode = '40P01';
    end if;
    return new;
end
$$;

create function fail_at_the_commit() returns trigger language plpgsql security definer as $$
begin
    if currval('public.attempts') = 1 then
        raise exception 'could not serialize access (made by the test)' using errcode = '40001';
    end if;
    return null;
end
$$;

create trigger first before insert on orders for each row execute function fail_in_the_statement();
create constraint trigger last after insert on orders deferrable initially deferred
    for each row execute function fail_at_the_commit();
