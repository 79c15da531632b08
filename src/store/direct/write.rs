//! One row inserted, found, locked or updated, with its entries in the indexes. Each function does what the executor
//! does for a statement of one row, in the same order, and returns `None` before it writes anything if the row needs
//! more than that.
#![allow(unsafe_code)]

use super::rows::{Row, Set, columns_set};
use super::search::{Key, Slot};
use super::table::{Open, Purpose, Table};
use super::triggers;
use crate::server::versions;
use pgrx::pg_sys::{self, LockTupleMode, LockWaitPolicy, TM_Result};
use std::ffi::c_int;
use std::ptr;

/// How a row that is going to be updated is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowLock {
    /// By the update itself, which waits if another transaction has the row.
    ByUpdate,
    /// FOR NO KEY UPDATE SKIP LOCKED: if another transaction has the row, a statement has to deal with it.
    NoKeyUpdate,
    /// FOR UPDATE SKIP LOCKED.
    Update,
}

impl Table {
    /// Inserts rows, in which the columns that are not named are null. Returns how many it has inserted: a statement has
    /// to insert the others.
    pub fn insert<'r, 'v: 'r>(&self, rows: impl Iterator<Item = &'r [Set<'v>]>) -> usize {
        let inserted = self.open(Purpose::Insert, |open| {
            let mut indexes = OpenIndexes::default();
            let inserted = rows.take_while(|row| open.insert(row, &mut indexes).is_some()).count();
            indexes.close();
            if inserted > 0 {
                open.finish();
            }
            Some(inserted)
        });
        inserted.unwrap_or_default()
    }

    /// Finds a row by its key and replaces what `judge` says, with what else it returns. Returns `None` if there is no
    /// such row, if `judge` refuses it, or if a statement has to update it.
    ///
    /// The row is judged as the snapshot shows it, before it is locked: to lock a row that is not written would keep
    /// others waiting. If it has changed since, it is not written here.
    pub fn update<'a, T>(
        &self,
        key: Key,
        lock: RowLock,
        judge: impl FnOnce(&Row) -> Option<(Vec<Set<'a>>, T)>,
    ) -> Option<T> {
        self.open(Purpose::Update, |open| {
            open.find(key, |old, snapshot| {
                // SAFETY: the slot holds a row of the table, which is open.
                unsafe {
                    pg_sys::CheckCmdReplicaIdentity(open.relation, pg_sys::CmdType::CMD_UPDATE);
                    let (changes, result) = judge(&Row::in_slot(old, &open.shape.labels))?;
                    open.lock(old, snapshot, lock)?;
                    open.replace(old, snapshot, &changes)?;
                    Some(result)
                }
            })
        })
    }

    /// Finds a row by its key, reads it, and locks it as an UPDATE would until the transaction ends. Returns `None` if
    /// there is no such row, if `read` refuses it, or if a statement has to lock it: another transaction has, or has
    /// changed it. What was read is what the locked row says.
    pub fn lock<T>(&self, key: Key, read: impl FnOnce(&Row) -> Option<T>) -> Option<T> {
        self.open(Purpose::Lock, |open| {
            open.find(key, |row, snapshot| {
                // SAFETY: the slot holds a row of the table, which is open.
                unsafe {
                    let result = read(&Row::in_slot(row, &open.shape.labels))?;
                    open.lock(row, snapshot, RowLock::NoKeyUpdate)?;
                    Some(result)
                }
            })
        })
    }
}

/// The indexes that were opened to write entries, in the order of the shape's.
#[derive(Default)]
struct OpenIndexes(Vec<(pg_sys::Oid, pg_sys::Relation)>);

impl OpenIndexes {
    /// Opens an index as a statement that writes it does. It cannot be dropped, because its table is locked.
    fn open(&mut self, id: pg_sys::Oid) -> pg_sys::Relation {
        if let Some((_, relation)) = self.0.iter().find(|(of, _)| *of == id) {
            return *relation;
        }
        // SAFETY: `close` closes it, or PostgreSQL when the transaction ends if an error unwinds.
        let relation = unsafe { pg_sys::index_open(id, pg_sys::RowExclusiveLock as c_int) };
        self.0.push((id, relation));
        relation
    }

    fn close(self) {
        for (_, relation) in self.0 {
            // SAFETY: the index is open. Its lock stays until the transaction ends.
            unsafe { pg_sys::index_close(relation, pg_sys::NoLock as c_int) };
        }
    }
}

impl Open<'_> {
    /// Inserts a row. Returns `None` before it writes anything if a statement has to insert it.
    fn insert(&self, row: &[Set], indexes: &mut OpenIndexes) -> Option<()> {
        if self.shape.defaults & !columns_set(row) != 0 {
            return None;
        }
        // SAFETY: the table is open, and `fill` puts a value into each column. What is in the memory of the call is not
        // used any more once the row is written.
        unsafe {
            self.fill(None, row);
            let entries = self.permits(u64::MAX)?;
            let command = pg_sys::GetCurrentCommandId(true);
            pg_sys::table_tuple_insert(self.relation, self.shape.new, command, 0, ptr::null_mut());
            self.insert_entries(entries, None, indexes);
            pg_sys::MemoryContextReset(self.shape.call);
            pg_sys::MemoryContextReset((*self.shape.econtext).ecxt_per_tuple_memory);
        }
        Some(())
    }

    /// Locks a row that was found. Returns `None` if another transaction has it, or has changed it since the snapshot.
    ///
    /// # Safety
    /// The slot must hold a row of the table.
    unsafe fn lock(&self, row: Slot, snapshot: pg_sys::Snapshot, lock: RowLock) -> Option<()> {
        let mode = match lock {
            RowLock::ByUpdate => return Some(()),
            RowLock::NoKeyUpdate => LockTupleMode::LockTupleNoKeyExclusive,
            RowLock::Update => LockTupleMode::LockTupleExclusive,
        };
        let mut failure = pg_sys::TM_FailureData::default();
        // SAFETY: the caller vouches for the slot. The position is copied, because the slot is filled again.
        let locked = unsafe {
            let mut position = (*row).tts_tid;
            pg_sys::table_tuple_lock(
                self.relation,
                &mut position,
                snapshot,
                row,
                pg_sys::GetCurrentCommandId(false),
                mode,
                LockWaitPolicy::LockWaitSkip,
                0,
                &mut failure,
            )
        };
        (locked == TM_Result::TM_Ok).then_some(())
    }

    /// Writes a new version of a row that was found. Returns `None` if the row has changed since the snapshot, or if a
    /// constraint refuses the new version.
    ///
    /// # Safety
    /// The slot must hold a row of the table.
    unsafe fn replace(&self, old: Slot, snapshot: pg_sys::Snapshot, changes: &[Set]) -> Option<()> {
        // SAFETY: the caller vouches for the slot, which keeps the values that the new version shares with it.
        unsafe {
            pg_sys::slot_getallattrs(old);
            self.fill(Some(old), changes);
            let changed = columns_set(changes);
            let entries = self.permits(changed)?;
            if triggers::are_referred_to(self.relation, old, self.shape.new) {
                return None;
            }
            let mut position = (*old).tts_tid;
            let command = pg_sys::GetCurrentCommandId(true);
            let (result, needs_entries) =
                versions::table_tuple_update(self.relation, &mut position, self.shape.new, command, snapshot);
            if result != TM_Result::TM_Ok {
                return None;
            }
            if needs_entries {
                let mut indexes = OpenIndexes::default();
                self.insert_entries(entries, Some(changed), &mut indexes);
                indexes.close();
            }
            self.finish();
            Some(())
        }
    }

    /// Puts values into the slot of the new row, and into its other columns those of the old one, or nulls.
    ///
    /// # Safety
    /// The old slot must hold a row of the table, all of whose columns have been read.
    pub(super) unsafe fn fill(&self, old: Option<Slot>, values: &[Set]) {
        let (new, columns) = (self.shape.new, self.shape.types.len());
        // SAFETY: both slots have so many columns. A virtual slot owns nothing that clearing it would have to free.
        unsafe {
            pg_sys::ExecClearTuple(new);
            match old {
                Some(old) => {
                    ptr::copy_nonoverlapping((*old).tts_values, (*new).tts_values, columns);
                    ptr::copy_nonoverlapping((*old).tts_isnull, (*new).tts_isnull, columns);
                }
                None => ptr::write_bytes((*new).tts_isnull, 1, columns),
            }
            for set in values {
                let datum = self.shape.labels.datum(set);
                *(*new).tts_values.add(set.position) = datum.unwrap_or(pg_sys::Datum::null());
                *(*new).tts_isnull.add(set.position) = datum.is_none();
            }
            pg_sys::ExecStoreVirtualTuple(new);
        }
    }

    /// Returns the indexes in which the new row has an entry. Returns `None` if the row must be left to a statement: a
    /// constraint refuses it, so that the statement raises the error, or one of the indexes is not a B-tree. `changed`
    /// are the columns that are written.
    ///
    /// # Safety
    /// The slot of the new row must be filled.
    unsafe fn permits(&self, changed: u64) -> Option<u64> {
        let shape = self.shape;
        // SAFETY: the expressions were made ready for the slot of the new row.
        unsafe {
            let (values, nulls) = ((*shape.new).tts_values, (*shape.new).tts_isnull);
            let is_missing = |column: &usize| shape.not_null & 1 << column != 0 && *nulls.add(*column);
            if (0..shape.types.len()).any(|column| is_missing(&column)) {
                return None;
            }
            for domain in shape.domains.iter().filter(|domain| changed & 1 << domain.position != 0) {
                let (value, is_null) = (*values.add(domain.position), *nulls.add(domain.position));
                domain.check(value, is_null);
            }
            let is_kept = |check: &*mut pg_sys::ExprState| {
                let mut is_null = false;
                let value = pg_sys::ExecEvalExpr(*check, shape.econtext, &mut is_null);
                is_null || value.value() as u8 != 0
            };
            if !shape.checks.iter().all(is_kept) {
                return None;
            }
            shape.indexes.iter().enumerate().try_fold(0, |entries, (n, index)| {
                let has_entry =
                    index.condition.is_null() || pg_sys::ExecQual(index.condition, shape.econtext);
                (index.is_btree || !has_entry).then_some(entries | u64::from(has_entry) << n)
            })
        }
    }

    /// Writes the entries of the new row in these indexes. `changed` are the columns that an update has changed, or
    /// `None` for a row that was inserted: an index whose columns all stayed the same is told so, and clears its old
    /// versions earlier.
    ///
    /// # Safety
    /// The slot must hold the new row as it was written.
    unsafe fn insert_entries(&self, entries: u64, changed: Option<u64>, indexes: &mut OpenIndexes) {
        let shape = self.shape;
        // SAFETY: the arrays have place for every index's columns.
        unsafe {
            for (_, index) in shape.indexes.iter().enumerate().filter(|(n, _)| entries & 1 << n != 0) {
                let relation = indexes.open(index.id);
                let mut values = [pg_sys::Datum::null(); pg_sys::INDEX_MAX_KEYS as usize];
                let mut nulls = [false; pg_sys::INDEX_MAX_KEYS as usize];
                pg_sys::FormIndexDatum(
                    index.info,
                    shape.new,
                    shape.estate,
                    values.as_mut_ptr(),
                    nulls.as_mut_ptr(),
                );
                pg_sys::index_insert(
                    relation,
                    values.as_mut_ptr(),
                    nulls.as_mut_ptr(),
                    &mut (*shape.new).tts_tid,
                    self.relation,
                    match index.is_unique {
                        true => pg_sys::IndexUniqueCheck::UNIQUE_CHECK_YES,
                        false => pg_sys::IndexUniqueCheck::UNIQUE_CHECK_NO,
                    },
                    changed.is_some_and(|changed| changed & index.sorted_by == 0),
                    index.info,
                );
            }
        }
    }

    /// Makes what was written visible to the next command, and frees what its expressions have used.
    fn finish(&self) {
        // SAFETY: as after every command of a statement.
        unsafe {
            pg_sys::MemoryContextReset((*self.shape.econtext).ecxt_per_tuple_memory);
            pg_sys::CommandCounterIncrement();
        }
        #[cfg(feature = "pg_test")]
        WRITTEN.set(WRITTEN.get() + 1);
    }
}

#[cfg(feature = "pg_test")]
std::thread_local! {
    /// How many rows this process has written without a statement.
    pub static WRITTEN: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}
