//! The answer of a verb as tests read it, and helpers that compare it with the tables.

use postgres::{Error, GenericClient, Row};

use crate::{Server, wait_until};

/// A `booking.result`: the columns that tests look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub ok: bool,
    pub status: String,
    pub hold_id: Option<String>,
    pub version: Option<i64>,
    pub available: Option<i64>,
    pub replayed: bool,
    pub seats: Option<Vec<String>>,
    /// The expiry, in microseconds since 1970.
    pub expires_at: Option<i64>,
    /// The detail, as JSON text.
    pub detail: Option<String>,
}

impl Answer {
    const COLUMNS: &str = "select ok, status, hold_id::text, version, available, replayed, seats,
        (extract(epoch from expires_at) * 1000000)::bigint, detail::text";

    fn read(row: &Row) -> Answer {
        Answer {
            ok: row.get(0),
            status: row.get(1),
            hold_id: row.get(2),
            version: row.get(3),
            available: row.get(4),
            replayed: row.get(5),
            seats: row.get(6),
            expires_at: row.get(7),
            detail: row.get(8),
        }
    }

    /// Returns the hold's id. Panics if the answer has none.
    #[track_caller]
    pub fn id(&self) -> &str {
        self.hold_id.as_deref().unwrap_or_else(|| panic!("names no hold: {self:?}"))
    }
}

/// Calls a verb: `ask(&mut session, "hold('gig', ttl => '1 min')")`. Uses the extended protocol with the unnamed
/// statement, which every pooler passes on.
pub fn ask(session: &mut impl GenericClient, call: &str) -> Result<Answer, Error> {
    let sql = format!("{} from booking.{call}", Answer::COLUMNS);
    let rows = session.query_typed(&sql, &[])?;
    Ok(Answer::read(&rows[0]))
}

/// Calls a verb that returns several answers.
pub fn ask_each(session: &mut impl GenericClient, call: &str) -> Result<Vec<Answer>, Error> {
    let sql = format!("{} from booking.{call}", Answer::COLUMNS);
    Ok(session.query_typed(&sql, &[])?.iter().map(Answer::read).collect())
}

impl Server {
    /// Asserts that `booking.check()` finds nothing, and that each B-tree has an entry for every row of its table.
    #[track_caller]
    pub fn assert_sound(&self, dbname: &str) {
        assert_eq!(self.psql_in(dbname, "select * from booking.check()"), "");
        self.psql_in(
            dbname,
            "set client_min_messages = warning;
             create extension if not exists amcheck;
             do $$
             declare
                 index regclass;
             begin
                 for index in
                     select indexrelid from pg_index
                     join pg_class on pg_class.oid = indexrelid
                     join pg_am on pg_am.oid = relam and amname = 'btree'
                     where relnamespace = 'booking'::regnamespace and indisvalid
                 loop
                     perform bt_index_check(index, heapallindexed => true);
                 end loop;
             end
             $$",
        );
    }

    /// Returns the launcher's process id, or `None` if no launcher runs.
    pub fn launcher(&self) -> Option<i32> {
        let sql = "select pid from pg_stat_activity where backend_type = 'booking launcher'";
        self.psql(sql).parse().ok()
    }

    /// Waits for a launcher other than `other`, and returns its process id.
    #[track_caller]
    pub fn wait_for_launcher(&self, other: Option<i32>) -> i32 {
        let found =
            wait_until("a launcher", || self.launcher(), |launcher| launcher.is_some() && *launcher != other);
        found.expect("just seen")
    }

    /// Waits until no hold in the database is overdue.
    #[track_caller]
    pub fn wait_until_swept(&self, dbname: &str) {
        let mut session = self.connect(dbname);
        let sql =
            "select count(*) from booking.holds where state = 'held' and expires_at <= clock_timestamp()";
        let mut overdue = || session.query_one(sql, &[]).expect("overdue holds").get::<_, i64>(0);
        wait_until("overdue holds to be swept", &mut overdue, |overdue| *overdue == 0);
    }
}
