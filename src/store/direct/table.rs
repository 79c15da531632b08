//! The tables that are written directly, and when what is kept of them has to be looked up again.
#![allow(unsafe_code)]

use super::rows::Definition;
use super::shape::{Decline, Shape};
use crate::server::{backend, settings};
use pgrx::prelude::*;
use std::cell::{Cell, RefCell};
use std::ffi::c_int;
use std::rc::Rc;

std::thread_local! {
    /// How often this process was told that a table or a constraint has changed.
    static CHANGES: Cell<u64> = const { Cell::new(0) };
    /// The tables that are kept, and their indexes.
    static WATCHED: RefCell<Vec<pg_sys::Oid>> = const { RefCell::new(Vec::new()) };
    static WATCHES: Cell<bool> = const { Cell::new(false) };
    /// Whether a table is being looked up, so that it is not known yet which indexes to watch.
    static WATCHES_ALL: Cell<bool> = const { Cell::new(false) };
}

/// A table that is written directly.
pub struct Table {
    definition: Definition,
    kept: RefCell<Option<Kept>>,
    /// Whether one of its rows is being written at this moment.
    in_use: Cell<bool>,
}

#[derive(Clone)]
struct Kept {
    shape: Rc<Shape>,
    /// The value of `CHANGES` before the table was looked up.
    changes: u64,
}

/// A table that is open and locked, and may be written.
pub struct Open<'s> {
    pub relation: pg_sys::Relation,
    pub shape: &'s Shape,
    pub purpose: Purpose,
}

/// How a table is about to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Insert,
    /// To find a row and write it.
    Update,
    /// To find a row and lock it.
    Lock,
    /// To find a row and read it.
    Read,
}

impl Purpose {
    /// Returns the lock that a statement for this purpose takes on the table and its indexes.
    pub const fn lock_mode(self) -> c_int {
        (match self {
            Self::Insert | Self::Update => pg_sys::RowExclusiveLock,
            Self::Lock => pg_sys::RowShareLock,
            Self::Read => pg_sys::AccessShareLock,
        }) as c_int
    }
}

/// Clears a mark when it is dropped, also if an error unwinds.
struct Clear<'s>(&'s Cell<bool>);

impl Drop for Clear<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Table {
    /// Declares a table. The macro `table!` does.
    pub const fn new(definition: Definition) -> Self {
        Self { definition, kept: RefCell::new(None), in_use: Cell::new(false) }
    }

    /// Opens the table as a statement would, with its lock until the transaction ends, and works on it.
    /// Returns `None` if a statement has to do it.
    pub(super) fn open<T>(&self, purpose: Purpose, work: impl FnOnce(&Open) -> Option<T>) -> Option<T> {
        // While a row is written, only the server's own functions run, so nobody should come here a second time.
        if !settings::writes_directly() || self.in_use.replace(true) {
            return None;
        }
        let _clear = Clear(&self.in_use);
        // SAFETY: takes a lock and a reference to the relation. Both are given back below, or by PostgreSQL at the end
        // of the transaction if an error unwinds.
        unsafe {
            let id = backend::table(self.definition.name).id;
            // Without a snapshot this is no part of a statement. The relation is null if the extension was dropped
            // while this process waited for the lock.
            if !pg_sys::ActiveSnapshotSet() {
                return None;
            }
            let relation = pg_sys::try_table_open(id, purpose.lock_mode());
            if relation.is_null() {
                return None;
            }
            let shape = self.current(relation);
            let result = if declines(&shape, purpose).is_none() && pg_sys::GetUserId() == shape.owner {
                let before = pg_sys::MemoryContextSwitchTo(shape.call);
                let result = work(&Open { relation, shape: &shape, purpose });
                pg_sys::MemoryContextSwitchTo(before);
                pg_sys::MemoryContextReset(shape.call);
                result
            } else {
                None
            };
            pg_sys::table_close(relation, pg_sys::NoLock as c_int);
            result
        }
    }

    /// Returns the shape of the table as it is now.
    ///
    /// # Safety
    /// The relation must be this table, open and locked.
    unsafe fn current(&self, relation: pg_sys::Relation) -> Rc<Shape> {
        // SAFETY: the caller vouches for the relation.
        let id = unsafe { (*relation).rd_id };
        let is_current = |kept: &&Kept| kept.changes == CHANGES.get() && kept.shape.id == id;
        if let Some(kept) = self.kept.borrow().as_ref().filter(is_current) {
            return kept.shape.clone();
        }
        watch();
        // What changes during the look is looked at in the next call.
        let changes = CHANGES.get();
        let shape = WATCHES_ALL.with(|all| {
            all.set(true);
            let _clear = Clear(all);
            // SAFETY: as above.
            Rc::new(unsafe { Shape::read(relation, self.definition) })
        });
        if let Some(reason) = shape.no_insert.or(shape.no_update) {
            debug1!("statements write the table {:?}, because {reason}", self.definition.name);
        }
        WATCHED.with_borrow_mut(|watched| {
            for id in std::iter::once(shape.id).chain(shape.all_indexes.iter().copied()) {
                if !watched.contains(&id) {
                    watched.push(id);
                }
            }
        });
        if let Some(old) = self.kept.replace(Some(Kept { shape: shape.clone(), changes })) {
            old.shape.free();
        }
        shape
    }

    /// Returns why statements write the table, or `None` if they need not.
    #[cfg(feature = "pg_test")]
    pub fn declines(&self, purpose: Purpose) -> Option<Decline> {
        // SAFETY: opens the table and closes it again.
        unsafe {
            let relation = pg_sys::table_open(
                backend::table(self.definition.name).id,
                pg_sys::RowExclusiveLock as c_int,
            );
            let shape = self.current(relation);
            pg_sys::table_close(relation, pg_sys::NoLock as c_int);
            declines(&shape, purpose)
        }
    }
}

fn declines(shape: &Shape, purpose: Purpose) -> Option<Decline> {
    match purpose {
        Purpose::Insert => shape.no_insert,
        Purpose::Update | Purpose::Lock | Purpose::Read => shape.no_update,
    }
}

/// Registers the callbacks for changes of tables and constraints, once in each process.
fn watch() {
    if !WATCHES.replace(true) {
        let none = pg_sys::Datum::null();
        // SAFETY: a backend registers the callbacks once, and they live as long as the backend.
        unsafe {
            pg_sys::CacheRegisterRelcacheCallback(Some(relation_changed), none);
            let constraints = pg_sys::SysCacheIdentifier::CONSTROID as c_int;
            pg_sys::CacheRegisterSyscacheCallback(constraints, Some(constraint_changed), none);
        }
    }
}

/// Counts a change of a table that is kept, or of an index of one. An invalid id stands for every relation.
///
/// # Safety
/// Only the server calls it.
#[pg_guard]
unsafe extern "C-unwind" fn relation_changed(_argument: pg_sys::Datum, changed: pg_sys::Oid) {
    let is_kept = |watched: &Vec<pg_sys::Oid>| watched.contains(&changed);
    if changed == pg_sys::InvalidOid || WATCHES_ALL.get() || WATCHED.with_borrow(is_kept) {
        CHANGES.set(CHANGES.get() + 1);
    }
}

/// Counts a change of a constraint, which may be one of a domain.
///
/// # Safety
/// Only the server calls it.
#[pg_guard]
unsafe extern "C-unwind" fn constraint_changed(_argument: pg_sys::Datum, _cache: c_int, _hash: u32) {
    CHANGES.set(CHANGES.get() + 1);
}

/// Declares a table with its columns, in the order in which `sql/schema.sql` has them.
macro_rules! table {
    ($TABLE:ident $name:literal: $($COLUMN:ident $column:literal $kind:ident,)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Position {
            $($COLUMN,)*
        }
        $(
            #[allow(dead_code)]
            pub const $COLUMN: $crate::store::direct::rows::Column<$crate::store::direct::rows::$kind> =
                $crate::store::direct::rows::Column::new(Position::$COLUMN as usize);
        )*
        std::thread_local! {
            pub static $TABLE: $crate::store::direct::Table = const {
                $crate::store::direct::Table::new($crate::store::direct::rows::Definition {
                    name: $name,
                    columns: &[$((
                        $column,
                        <$crate::store::direct::rows::$kind as $crate::store::direct::rows::ColumnType>::NAME,
                    ),)*],
                })
            };
        }
    };
}
pub(in crate::store) use table;
