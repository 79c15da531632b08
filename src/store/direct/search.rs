//! One row found by its key, in an index.
#![allow(unsafe_code)]

use super::indexes::{Comparison, Index};
use super::rows::{Row, Set, columns_set};
use super::table::{Open, Purpose, Table};
use crate::server::versions;
use pgrx::pg_sys;
use std::ffi::c_int;
use std::ptr;

/// The columns by which a row is found, and their values.
#[derive(Clone, Copy)]
pub struct Key<'k> {
    columns: &'k [Set<'k>],
    /// The values of other columns, which tell whether a partial index has an entry for each row that is sought.
    besides: &'k [Set<'k>],
    /// One more column, and the most that its value may be.
    at_most: Option<Set<'k>>,
    is_sole: bool,
    is_at_the_same_moment: bool,
}

impl<'k> Key<'k> {
    /// Finds a row with these values.
    pub const fn of(columns: &'k [Set<'k>]) -> Self {
        Self { columns, besides: &[], at_most: None, is_sole: false, is_at_the_same_moment: false }
    }

    /// Finds rows with these values, also of the columns `besides`, and with at most this value in one more column.
    pub const fn up_to(columns: &'k [Set<'k>], besides: &'k [Set<'k>], at_most: Set<'k>) -> Self {
        Self { besides, at_most: Some(at_most), ..Self::of(columns) }
    }

    /// Looks with the snapshot of the row that is being read at this moment, and not with a new one.
    pub const fn at_the_same_moment(self) -> Self {
        Self { is_at_the_same_moment: true, ..self }
    }

    /// Finds a row with these values if there is no other that has them.
    pub const fn of_sole(columns: &'k [Set<'k>]) -> Self {
        Self { is_sole: true, ..Self::of(columns) }
    }
}

pub type Slot = *mut pg_sys::TupleTableSlot;

/// The most columns of a key.
const MAX_KEYS: usize = 3;

impl Table {
    /// Finds a row by its key and reads it. Returns `None` if there is no such row, if `read` refuses it, or if a
    /// statement has to look.
    pub fn read<T>(&self, key: Key, read: impl FnOnce(&Row) -> Option<T>) -> Option<T> {
        self.open(Purpose::Read, |open| {
            open.find(key, |row, _| {
                // SAFETY: the slot holds a row of the table, which is open.
                let row = unsafe { Row::in_slot(row, &open.shape.labels) };
                read(&row)
            })
        })
    }

    /// Returns whether the snapshot shows a row with this key. Returns `None` if a statement has to look.
    pub fn has(&self, key: Key) -> Option<bool> {
        self.open(Purpose::Read, |open| {
            let mut found = false;
            let looked = open.look(key, |_, _| {
                found = true;
                None::<()>
            });
            looked.map(|_| found)
        })
    }
}

impl Open<'_> {
    /// Works on the row that a snapshot of this moment shows under a key. Returns `None` if there is no such row.
    pub fn find<T>(&self, key: Key, work: impl FnOnce(Slot, pg_sys::Snapshot) -> Option<T>) -> Option<T> {
        self.look(key, work).flatten()
    }

    /// As [`find`](Self::find). Returns `None` if there is no index for the key.
    fn look<T>(&self, key: Key, work: impl FnOnce(Slot, pg_sys::Snapshot) -> Option<T>) -> Option<Option<T>> {
        let (index, mut keys, count) = self.scan_of(key)?;
        // SAFETY: what is opened here is closed below, or by PostgreSQL when the transaction ends if an error unwinds.
        unsafe {
            if !key.is_at_the_same_moment {
                // A statement sees what the command before it wrote, and takes its snapshot when it starts.
                pg_sys::CommandCounterIncrement();
                pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
            }
            let snapshot = pg_sys::GetActiveSnapshot();
            let relation = pg_sys::index_open(index.id, self.purpose.lock_mode());
            let slot = self.new_slot();
            let scan = versions::index_beginscan(self.relation, relation, snapshot, count);
            pg_sys::index_rescan(scan, keys.as_mut_ptr(), count, ptr::null_mut(), 0);
            let found = pg_sys::index_getnext_slot(scan, pg_sys::ScanDirection::ForwardScanDirection, slot);
            let result =
                if found && !(key.is_sole && self.finds_another(scan)) { work(slot, snapshot) } else { None };
            pg_sys::index_endscan(scan);
            pg_sys::ExecDropSingleTupleTableSlot(slot);
            pg_sys::index_close(relation, pg_sys::NoLock as c_int);
            if !key.is_at_the_same_moment {
                pg_sys::PopActiveSnapshot();
            }
            Some(result)
        }
    }

    /// Makes a slot for a row of the table as it is stored.
    ///
    /// # Safety
    /// The caller drops it before the table is closed.
    unsafe fn new_slot(&self) -> Slot {
        let of_heap = &raw const pg_sys::TTSOpsBufferHeapTuple;
        // SAFETY: the descriptor is that of the open table.
        unsafe { pg_sys::MakeSingleTupleTableSlot((*self.relation).rd_att, of_heap) }
    }

    /// Returns whether a scan finds one more row.
    ///
    /// # Safety
    /// The scan must be under way.
    unsafe fn finds_another(&self, scan: pg_sys::IndexScanDesc) -> bool {
        // SAFETY: the caller vouches for the scan.
        unsafe {
            let slot = self.new_slot();
            let found = pg_sys::index_getnext_slot(scan, pg_sys::ScanDirection::ForwardScanDirection, slot);
            pg_sys::ExecDropSingleTupleTableSlot(slot);
            found
        }
    }

    /// Returns the index in which rows are found by a key, with the conditions of the scan and how many they are.
    fn scan_of(&self, key: Key) -> Option<(&Index, [pg_sys::ScanKeyData; MAX_KEYS], c_int)> {
        let columns = || key.columns.iter().chain(&key.at_most);
        let count = key.columns.len() + usize::from(key.at_most.is_some());
        let has_all =
            |index: &&Index| index.finds(columns().map(|set| set.position)) && self.has_entries(index, key);
        let index = self.shape.indexes.iter().find(has_all)?;
        let mut keys = [pg_sys::ScanKeyData::default(); MAX_KEYS];
        for ((n, set), scan_key) in columns().enumerate().zip(&mut keys) {
            *scan_key = self.scan_key(n + 1, set, n == key.columns.len())?;
        }
        Some((index, keys, count as c_int))
    }

    /// Returns whether an index has an entry for each row that a key finds. Its condition is one of immutable functions,
    /// so if it reads only columns that the key gives, it is as true of each such row as of a row with only these.
    fn has_entries(&self, index: &Index, key: Key) -> bool {
        if index.depends_on == 0 {
            return true;
        }
        let given: Vec<Set> = key.columns.iter().chain(key.besides).copied().collect();
        if index.depends_on & !columns_set(&given) != 0 {
            return false;
        }
        // SAFETY: the condition was made ready for the slot of the new row, which nobody uses at this moment.
        unsafe {
            self.fill(None, &given);
            let has_entries = pg_sys::ExecQual(index.condition, self.shape.econtext);
            pg_sys::MemoryContextReset((*self.shape.econtext).ecxt_per_tuple_memory);
            has_entries
        }
    }

    /// Makes the condition that the index's column with this number has a value, or has at most this value.
    fn scan_key(&self, number: usize, set: &Set, is_most: bool) -> Option<pg_sys::ScanKeyData> {
        let compared = Comparison::of(*self.shape.types.get(set.position)?)?;
        let (strategy, function) = match is_most {
            false => (pg_sys::BTEqualStrategyNumber, compared.equal),
            true => (pg_sys::BTLessEqualStrategyNumber, compared.at_most?),
        };
        let value = self.shape.labels.datum(set)?;
        let mut key = pg_sys::ScanKeyData::default();
        // SAFETY: fills the key in. The function is the one that compares two values of this type.
        unsafe {
            pg_sys::ScanKeyEntryInitialize(
                &mut key,
                0,
                number as pg_sys::AttrNumber,
                strategy as pg_sys::StrategyNumber,
                pg_sys::InvalidOid,
                compared.collation,
                function.into(),
                value,
            );
        }
        Some(key)
    }
}
