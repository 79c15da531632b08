//! One row found by its key, in an index.
#![allow(unsafe_code)]

use super::indexes::comparison;
use super::rows::{Row, Set, TypeName};
use super::table::{Open, Purpose, Table};
use crate::server::versions;
use pgrx::pg_sys;
use std::ffi::c_int;
use std::ptr;

/// The columns by which a row is found, and their values.
#[derive(Clone, Copy)]
pub struct Key<'k> {
    columns: &'k [Set<'k>],
    is_sole: bool,
}

impl<'k> Key<'k> {
    /// Finds a row with these values.
    pub const fn of(columns: &'k [Set<'k>]) -> Self {
        Self { columns, is_sole: false }
    }

    /// Finds a row with these values if there is no other that has them.
    pub const fn of_sole(columns: &'k [Set<'k>]) -> Self {
        Self { columns, is_sole: true }
    }
}

pub type Slot = *mut pg_sys::TupleTableSlot;

/// The most columns of a key.
const MAX_KEYS: usize = 2;

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
        let Key { columns: key, is_sole } = key;
        let index =
            self.shape.indexes.iter().find(|index| index.finds(key.iter().map(|set| set.position)))?;
        let mut keys = [pg_sys::ScanKeyData::default(); MAX_KEYS];
        for ((n, set), scan_key) in key.iter().enumerate().zip(&mut keys) {
            *scan_key = self.scan_key(n + 1, set)?;
        }
        // SAFETY: what is opened here is closed below, or by PostgreSQL when the transaction ends if an error unwinds.
        unsafe {
            // A statement sees what the command before it wrote, and takes its snapshot when it starts.
            pg_sys::CommandCounterIncrement();
            pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
            let snapshot = pg_sys::GetActiveSnapshot();
            let relation = pg_sys::index_open(index.id, self.purpose.lock_mode());
            let slot = self.new_slot();
            let scan = versions::index_beginscan(self.relation, relation, snapshot, key.len() as c_int);
            pg_sys::index_rescan(scan, keys.as_mut_ptr(), key.len() as c_int, ptr::null_mut(), 0);
            let found = pg_sys::index_getnext_slot(scan, pg_sys::ScanDirection::ForwardScanDirection, slot);
            let result =
                if found && !(is_sole && self.finds_another(scan)) { work(slot, snapshot) } else { None };
            pg_sys::index_endscan(scan);
            pg_sys::ExecDropSingleTupleTableSlot(slot);
            pg_sys::index_close(relation, pg_sys::NoLock as c_int);
            pg_sys::PopActiveSnapshot();
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

    /// Makes the condition that the index's column with this number has a value.
    fn scan_key(&self, number: usize, set: &Set) -> Option<pg_sys::ScanKeyData> {
        let TypeName::Server(of) = self.shape.types.get(set.position)? else { return None };
        let (equal, collation) = comparison(*of)?;
        let value = self.shape.labels.datum(set)?;
        let mut key = pg_sys::ScanKeyData::default();
        // SAFETY: fills the key in. The function is the one that compares two values of this type.
        unsafe {
            pg_sys::ScanKeyEntryInitialize(
                &mut key,
                0,
                number as pg_sys::AttrNumber,
                pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber,
                pg_sys::InvalidOid,
                collation,
                equal.into(),
                value,
            );
        }
        Some(key)
    }
}
