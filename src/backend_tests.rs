//! Tests that need one backend and no concurrency: each runs in a transaction of its own, which is rolled
//! back. They are built only with the feature `pg_test`, and `tests/backend/run` calls them. What needs
//! several sessions belongs into `tests/isolation` or `tests/live`, what needs no server into `tests/rules`.

/// The schema that pgrx puts the tests into.
#[pgrx::pg_schema]
mod tests {
    use crate::server::hash;
    use crate::server::search_path::PinnedPath;
    use crate::shared_memory::escrow;
    use crate::store::locks::LockWaitPolicy;
    use crate::store::locks::heavyweight::{self, Claim, ClaimTarget, LockMode};
    use crate::store::locks::subtransaction;
    use crate::store::{Decline, HOLDS, Purpose, Session, WRITTEN, pools, resources};
    use pgrx::prelude::*;

    fn run(sql: &str) {
        if let Err(error) = Spi::run(sql) {
            error!("{sql}: {error}");
        }
    }

    fn one<T: FromDatum + IntoDatum>(sql: &str) -> Option<T> {
        match Spi::get_one::<T>(sql) {
            Ok(value) => value,
            Err(error) => error!("{sql}: {error}"),
        }
    }

    /// Returns how many locks of a mode this backend has on what a hash of text stands for.
    fn locks(table: &str, hashed: &str, mode: &str) -> i64 {
        one(&format!(
            "select count(*) from pg_locks
             where pid = pg_backend_pid() and locktype = 'object' and mode = '{mode}' and granted
               and classid = '{table}'::regclass
               and objid = ({hashed} & 4294967295)::text::oid"
        ))
        .unwrap_or_default()
    }

    #[pg_test]
    fn a_name_has_the_hash_that_sql_gives_it() {
        for name in ["", "gig", "BA117/2026-12-24", "é", &"long ".repeat(60)] {
            let of_sql = one::<i64>(&format!("select hashtextextended('{name}' collate \"C\", 0)"));
            assert_eq!(of_sql, Some(hash::hash(&[name.as_bytes()]) as i64), "{name}");
        }
        assert_ne!(hash::hash(&[b"ab", b"c"]), hash::hash(&[b"a", b"bc"]));
        assert_ne!(hash::hash(&[b"ab"]), hash::hash(&[b"ab", b""]));
    }

    #[pg_test]
    fn a_resources_lock_is_found_by_the_hash_of_its_name() {
        let hashed = "hashtextextended('gig', 0)";
        for (mode, name) in [(LockMode::Share, "ShareLock"), (LockMode::Exclusive, "ExclusiveLock")] {
            let Ok(lock) = heavyweight::lock_resource("gig", mode, LockWaitPolicy::NoWait) else {
                error!("nobody else has the lock")
            };
            assert_eq!(locks("booking.resources", hashed, name), 1);
            lock.release();
            assert_eq!(locks("booking.resources", hashed, name), 0);
        }
    }

    #[pg_test]
    fn a_claim_is_found_by_the_hash_of_resource_and_seat() {
        let hashed = "hashtextextended('1A', hashtextextended('hall', 0))";
        let Ok(claim) = Claim::wait("hall", ClaimTarget::Seat("1A"), LockWaitPolicy::NoWait) else {
            error!("nobody else has the claim")
        };
        assert_eq!(locks("booking.seats", hashed, "ExclusiveLock"), 1);
        claim.release();
        assert_eq!(locks("booking.seats", hashed, "ExclusiveLock"), 0);
    }

    #[pg_test]
    fn the_twins_of_what_admits_all_agree() {
        run("select booking.create_pool('gig', 3)");
        for open in [true, false] {
            for limit in ["null", "2"] {
                for waiting in [0, 1] {
                    run(&format!(
                        "update booking.resources set open = {open}, max_per_holder = {limit}, waiting = {waiting}"
                    ));
                    let of_sql =
                        one::<bool>(&format!("select {} from booking.resources", resources::ADMITS_ALL));
                    let of_rust = resources::read(&Session::open(), "gig").map(|found| found.admits_all());
                    assert_eq!(of_sql, of_rust, "open {open}, limit {limit}, waiting {waiting}");
                }
            }
        }
    }

    #[pg_test]
    fn a_statement_that_fails_leaves_the_transaction_as_it_was() {
        run("select booking.create_pool('gig', 3)");
        // SAFETY: reads a number of this backend's.
        let level = || unsafe { pg_sys::GetCurrentTransactionNestLevel() };
        let before = level();
        for sql in [
            "update booking.resources set taken = 4",
            "select booking.hold('nowhere')",
            "select booking.hold('gig', -1)",
            "select 1 / 0",
            "nonsense",
        ] {
            let failed = subtransaction::undo_refused_write(|| {
                run("select booking.hold('gig', 2)");
                run(sql);
            });
            assert!(failed.is_err(), "{sql}");
            assert_eq!(level(), before, "{sql}");
            assert_eq!(one::<i64>("select taken from booking.resources"), Some(0), "{sql}");
        }
        let kept = subtransaction::undo_refused_write(|| run("select booking.hold('gig', 2)"));
        assert!(kept.is_ok());
        assert_eq!(one::<i64>("select taken from booking.resources"), Some(2));
    }

    #[pg_test]
    fn a_period_includes_its_beginning_and_excludes_its_end() {
        run("select booking.create_calendar('room')");
        for (period, message) in [
            ("[2030-01-01 10:00,2030-01-01 11:00]", "include its beginning and exclude its end"),
            ("(2030-01-01 10:00,2030-01-01 11:00)", "include its beginning and exclude its end"),
            ("(2030-01-01 10:00,2030-01-01 11:00]", "include its beginning and exclude its end"),
            ("[2030-01-01 10:00,)", "must have a beginning and an end"),
            ("[2030-01-01 10:00,infinity)", "must have a beginning and an end"),
            ("empty", "is empty"),
        ] {
            let refused = subtransaction::undo_refused_write(|| {
                run(&format!("select booking.hold('room', during => '{period}')"));
            });
            assert!(refused.as_ref().is_err_and(|error| error.contains(message)), "{period}: {refused:?}");
        }
        let held =
            "select (h).ok from booking.hold('room', during => '[2030-01-01 10:00,2030-01-01 11:00)') h";
        assert_eq!(one::<bool>(held), Some(true));
    }

    #[pg_test]
    fn what_is_wrong_with_an_item_is_named_by_its_path() {
        for (item, message) in [
            (r#"{"resource": "gig", "seats": ["1A", 2]}"#, r#"item 1: field "seats[1]" must be text"#),
            (r#"{"resource": "gig", "quantity": 1.5}"#, r#"item 1: field "quantity" must be a whole number"#),
            (r#"{"resource": "gig", "quantity": "2"}"#, r#"item 1: field "quantity" must be a whole number"#),
            (r#"{"resource": "gig", "together": 1}"#, r#"item 1: field "together" must be true or false"#),
            (r#"{"resource": "gig", "amount": 1}"#, r#"item 1: field "amount" is not known"#),
            (r#"{"quantity": 1}"#, r#"item 1: field "resource" must be given"#),
        ] {
            let refused = subtransaction::undo_refused_write(|| {
                run(&format!("select booking.hold_all('[{item}]')"));
            });
            assert!(refused.as_ref().is_err_and(|error| error.contains(message)), "{item}: {refused:?}");
        }
    }

    #[pg_test]
    fn a_restored_search_path_is_pinned_again() {
        run("set local search_path = public, pg_catalog");
        let shown = || one::<String>("select current_setting('search_path')").unwrap_or_default();
        let (callers, pinned) = ("public, pg_catalog", "pg_catalog, pg_temp");
        for ends_well in [true, false] {
            let path = PinnedPath::default();
            let end = subtransaction::undo_unless_ok(|| {
                path.pin();
                assert_eq!(shown(), pinned);
                ends_well.then_some(()).ok_or(())
            });
            assert_eq!(end.is_ok(), ends_well);
            // PostgreSQL has restored what was set in the subtransaction.
            assert_eq!(shown(), callers);
            path.pin();
            assert_eq!(shown(), pinned);
            run("set local search_path = public");
            path.pin();
            assert_eq!(shown(), pinned);
            drop(path);
            assert_eq!(shown(), callers);
        }
    }

    #[pg_test]
    fn a_subtransaction_gives_back_what_it_took_in_escrow() {
        run("select booking.create_pool('drop', 10, contention => 'escrow')");
        let Some(id) = pools::escrow(&Session::open(), "drop") else { error!("it is an escrow pool") };
        let taken = || escrow::taken(id);
        run("select booking.hold('drop', 3)");
        assert_eq!(taken(), Some(3));
        let undone: Result<(), ()> = subtransaction::undo_unless_ok(|| {
            run("select booking.hold('drop', 4)");
            assert_eq!(taken(), Some(7));
            Err(())
        });
        assert_eq!((undone, taken()), (Err(()), Some(3)));
        let kept: Result<(), ()> = subtransaction::undo_unless_ok(|| {
            run("select booking.hold('drop', 4)");
            let inner: Result<(), ()> = subtransaction::undo_unless_ok(|| {
                run("select booking.hold('drop', 2)");
                Err(())
            });
            assert_eq!((inner, taken()), (Err(()), Some(7)));
            Ok(())
        });
        assert_eq!((kept, taken()), (Ok(()), Some(7)));
        assert_eq!(one::<i64>("select sum(quantity)::bigint from booking.holds"), Some(7));
    }

    /// Returns how many rows some SQL writes without a statement.
    fn written(sql: &str) -> u64 {
        let before = WRITTEN.get();
        run(sql);
        WRITTEN.get() - before
    }

    #[pg_test]
    fn plain_rows_are_written_without_a_statement() {
        run(
            "select booking.create_pool('gig', 30); select booking.create_pool('drop', 9, contention => 'escrow')",
        );
        let of = |name: &str| format!("(select id from booking.holds where key = '{name}')");
        for (calls, rows) in [
            ("booking.hold('gig', 2, key => 'a', holder => 'ann')".to_owned(), 2),
            (format!("booking.extend({}, '20 minutes')", of("a")), 1),
            (format!("booking.transfer({}, 'bob')", of("a")), 1),
            (format!("booking.confirm({}, 'pay')", of("a")), 1),
            (format!("booking.cancel({}, quantity => 1)", of("a")), 2),
            (format!("booking.cancel({}, resource => 'gig')", of("a")), 2),
            ("booking.hold('gig', key => 'b')".to_owned(), 2),
            (format!("booking.release({})", of("b")), 2),
            ("booking.hold('drop', key => 'c', metadata => '{}')".to_owned(), 1),
            (format!("booking.release({})", of("c")), 1),
        ] {
            assert_eq!(written(&format!("select {calls}")), rows, "{calls}");
        }
        run("set local booking.direct = off");
        assert_eq!(written("select booking.hold('gig')"), 0);
    }

    /// Makes a change, looks at something, and takes the change back.
    fn with_change<T>(ddl: &str, look: impl Fn() -> T) -> Option<T> {
        let undone: Result<(), T> = subtransaction::undo_unless_ok(|| {
            run(ddl);
            Err(look())
        });
        undone.err()
    }

    #[pg_test]
    fn a_table_that_was_altered_is_written_by_statements() {
        use Decline::{Checks, Columns, Indexes, Table, Triggers};
        run("create function public.yes() returns trigger language plpgsql as 'begin return new; end';
             create function public.fine(text) returns boolean language plpgsql immutable as 'begin return true; end';
             create role poor; grant all on schema booking to poor");
        let declines =
            || HOLDS.with(|table| [Purpose::Insert, Purpose::Update].map(|purpose| table.declines(purpose)));
        let all = |reason| [Some(reason), Some(reason)];
        for (ddl, expected) in [
            (
                "create trigger t before insert on booking.holds for each row execute function yes()",
                [Some(Triggers), None],
            ),
            (
                "create trigger t after update on booking.holds for each row execute function yes()",
                [None, Some(Triggers)],
            ),
            (
                "create trigger t after insert or update on booking.holds execute function yes()",
                all(Triggers),
            ),
            (
                "create constraint trigger t after update on booking.holds for each row execute function yes()",
                [None, Some(Triggers)],
            ),
            (
                "create trigger t after insert on booking.holds referencing new table as n execute function yes()",
                [Some(Triggers), None],
            ),
            (
                "alter table booking.holds add foreign key (resource) references booking.resources",
                all(Triggers),
            ),
            (
                "create table public.orders (id uuid, resource text, foreign key (id, resource) references booking.holds)",
                [None, None],
            ),
            ("create rule r as on insert to booking.holds do also select 1", all(Table)),
            ("alter table booking.holds enable row level security", all(Table)),
            ("alter table booking.holds owner to poor; revoke update on booking.holds from poor", all(Table)),
            ("create table public.more () inherits (booking.holds)", all(Table)),
            ("alter table booking.holds add column note text", all(Columns)),
            (
                "alter table booking.holds add column twice bigint generated always as (item * 2) stored",
                all(Columns),
            ),
            ("alter table booking.holds drop column fingerprint", all(Columns)),
            ("alter table booking.holds rename column metadata to facts", all(Columns)),
            ("alter table booking.holds alter column metadata type json", all(Columns)),
            ("alter table booking.holds add check (holder <> 'zoe')", [None, None]),
            ("alter table booking.holds add check (public.fine(holder))", all(Checks)),
            ("alter table booking.holds add check (resource::regclass is null) not valid", all(Checks)),
            ("alter domain booking.quantity add check (value <= 10)", [None, None]),
            ("alter domain booking.quantity add check (public.fine(value::text))", all(Checks)),
            ("create index on booking.holds (placed_at)", [None, None]),
            ("create index on booking.holds (lower(holder))", [None, None]),
            ("create index on booking.holds (holder) where public.fine(holder)", all(Indexes)),
            ("create index on booking.holds (public.fine(holder))", all(Indexes)),
        ] {
            assert_eq!(with_change(ddl, declines), Some(expected), "{ddl}");
            assert_eq!(declines(), [None, None], "after: {ddl}");
        }
    }

    #[pg_test]
    fn a_row_that_is_not_plain_is_written_by_a_statement() {
        run("select booking.create_pool('gig', 99); create role another_owner;
             grant usage, create on schema booking to another_owner");
        let place = || written("select booking.hold('gig', holder => 'ann')");
        for (ddl, rows) in [
            ("create index on booking.holds using brin (placed_at)", 1),
            ("create index on booking.holds using hash (holder)", 1),
            ("create index on booking.holds using hash (reference) where reference is not null", 2),
            ("alter table booking.holds add unique (id) deferrable", 1),
            ("alter table booking.holds add exclude using gist (holder with =, expires_at with =)", 1),
            ("alter table booking.holds alter column reference set default 'none'", 1),
            ("alter table booking.holds alter column key set default 'none'", 2),
            (
                "alter table booking.holds owner to another_owner; grant all on booking.holds to current_user",
                1,
            ),
            ("alter table booking.resources add column note text", 1),
            ("alter table booking.resources drop constraint resources_pkey", 1),
        ] {
            assert_eq!(with_change(ddl, place), Some(rows), "{ddl}");
            assert_eq!(place(), 2, "after: {ddl}");
        }
    }

    /// A look may use a partial index only if each row that it is about has an entry.
    #[pg_test]
    fn an_index_without_some_rows_tells_nothing_of_them() {
        run(
            "select booking.create_pool('gig', 9); select booking.hold('gig', 2, '1 ms', holder => 'ann'); select pg_sleep(0.01)",
        );
        for condition in [
            "holder is null",
            "quantity > 5",
            "state = 'held' and quantity > 5",
            "state = 'confirmed'",
            "during is not null",
        ] {
            run(&format!(
                "drop index if exists booking.holds_live, booking.other;
                 create index other on booking.holds (resource, state, expires_at) where {condition}"
            ));
            assert_eq!(one::<i64>("select booking.available('gig')"), Some(9), "{condition}");
        }
    }

    #[pg_test]
    fn the_constraints_of_users_hold() {
        run("select booking.create_pool('gig', 99)");
        let fails = |sql: &str| {
            let failed = subtransaction::undo_refused_write(|| run(sql));
            failed.err().unwrap_or_default()
        };
        let hold = "select booking.hold('gig', 4, holder => 'zoe', key => 'k')";
        let confirm = "select booking.confirm((select id from booking.holds), 'pay')";
        for (ddl, call, message) in [
            ("alter table booking.holds add constraint no_zoe check (holder <> 'zoe')", hold, "no_zoe"),
            ("alter table booking.holds alter column metadata set not null", hold, "null value in column"),
            ("alter domain booking.quantity add constraint few check (value <= 3)", hold, "few"),
            ("create unique index once on booking.holds ((item = 1))", hold, "once"),
            ("alter table booking.resources add constraint early check (taken < 4)", hold, "early"),
            ("alter table booking.holds add constraint unpaid check (reference is null)", confirm, "unpaid"),
            (
                "create table public.orders (id uuid, state booking.hold_state);
              alter table booking.holds add unique (id, state);
              alter table public.orders add foreign key (id, state) references booking.holds (id, state);
              insert into public.orders select id, state from booking.holds",
                confirm,
                "orders",
            ),
        ] {
            let refusal = with_change("select booking.hold('gig', metadata => '{}')", || {
                run(ddl);
                fails(call)
            });
            assert!(refusal.as_ref().is_some_and(|refusal| refusal.contains(message)), "{ddl}: {refusal:?}");
        }
    }
}
