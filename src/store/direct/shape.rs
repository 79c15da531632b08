//! What each process keeps of a table that it writes directly: the columns, the indexes and the constraints, ready to
//! run.
#![allow(unsafe_code)]

use super::expressions::columns_of;
use super::indexes::Index;
use super::rows::{Definition, Labels, TypeName};
use super::triggers;
use pgrx::prelude::*;
use pgrx::{PgList, PgTupleDesc};
use std::cell::Cell;
use std::ffi::{CStr, CString, c_int, c_void};
use std::fmt;

/// Why a statement has to write a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decline {
    /// It is not an ordinary table: it has another name or storage, rules, row security, partitions or children, or its
    /// owner has no right to write it.
    Table,
    /// A column was added, removed, renamed, or has another type.
    Columns,
    /// A check or a domain calls functions that are not the server's own.
    Checks,
    /// An index does.
    Indexes,
    /// Triggers run for each row that is written.
    Triggers,
}

impl fmt::Display for Decline {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Table => {
                "it has rules, row security, children, another name or storage, or its owner may not write it"
            }
            Self::Columns => "its columns are not those that the extension created",
            Self::Checks => "a check or a domain calls a function that is not an immutable one of the server",
            Self::Indexes => "an index calls a function that is not an immutable one of the server",
            Self::Triggers => "it has triggers",
        })
    }
}

/// A table as it is now.
pub struct Shape {
    pub id: pg_sys::Oid,
    pub owner: pg_sys::Oid,
    /// What a single call needs is allocated here.
    pub call: pg_sys::MemoryContext,
    pub estate: *mut pg_sys::EState,
    pub econtext: *mut pg_sys::ExprContext,
    /// A copy of the table's row type. A slot with the table's own would have to be made for each row.
    pub new: *mut pg_sys::TupleTableSlot,
    /// The type of each column.
    pub types: Vec<TypeName>,
    /// All indexes, also those that are being built or dropped.
    pub all_indexes: Vec<pg_sys::Oid>,
    /// The indexes that a written row has entries in.
    pub indexes: Vec<Index>,
    pub checks: Vec<*mut pg_sys::ExprState>,
    pub domains: Vec<Domain>,
    /// The columns that must not be null, a bit for each.
    pub not_null: u64,
    /// The columns that have a default.
    pub defaults: u64,
    pub labels: Labels,
    pub no_insert: Option<Decline>,
    pub no_update: Option<Decline>,
    /// Where all of this is, also what the others point to.
    memory: pg_sys::MemoryContext,
}

/// A column whose type is a domain.
pub struct Domain {
    pub position: usize,
    id: pg_sys::Oid,
    /// What PostgreSQL keeps of its constraints.
    state: Cell<*mut c_void>,
    memory: pg_sys::MemoryContext,
}

impl Domain {
    /// Raises 23514 or 23502 if the domain does not allow a value.
    ///
    /// # Safety
    /// The value must be of the type that the domain is over.
    pub unsafe fn check(&self, value: pg_sys::Datum, is_null: bool) {
        let mut state = self.state.get();
        // SAFETY: PostgreSQL keeps in the state what it has looked up, and looks again if the domain has changed.
        unsafe { pg_sys::domain_check(value, is_null, self.id, &mut state, self.memory) };
        self.state.set(state);
    }
}

impl Shape {
    /// Looks a table up.
    ///
    /// # Safety
    /// The relation must be the table, open and locked.
    pub unsafe fn read(relation: pg_sys::Relation, table: Definition) -> Self {
        // SAFETY: the caller vouches for the relation. What is built is copied into memory of the shape's own, or
        // belongs to the relation cache and is not kept.
        unsafe {
            // If the look ends in an error, the memory is freed with the transaction.
            let memory = new_memory(pg_sys::CurTransactionContext);
            let before = pg_sys::MemoryContextSwitchTo(memory);
            let estate = pg_sys::CreateExecutorState();
            let econtext = pg_sys::MakePerTupleExprContext(estate);
            let descriptor = pg_sys::CreateTupleDescCopy((*relation).rd_att);
            let new = pg_sys::MakeSingleTupleTableSlot(descriptor, &raw const pg_sys::TTSOpsVirtual);
            (*econtext).ecxt_scantuple = new;
            let mut shape = Self {
                id: (*relation).rd_id,
                owner: (*(*relation).rd_rel).relowner,
                call: new_memory(memory),
                estate,
                econtext,
                new,
                types: table.columns.iter().map(|(_, of)| *of).collect(),
                all_indexes: Vec::new(),
                indexes: Vec::new(),
                checks: Vec::new(),
                domains: Vec::new(),
                not_null: 0,
                defaults: 0,
                labels: Labels::default(),
                no_insert: None,
                no_update: None,
                memory,
            };
            let declined = shape.read_all(relation, table).err();
            let stopped = |stops: bool| declined.or_else(|| stops.then_some(Decline::Triggers));
            shape.no_insert = stopped(triggers::stop_inserts(relation));
            shape.no_update = stopped(triggers::stop_updates(relation));
            pg_sys::MemoryContextSwitchTo(before);
            pg_sys::MemoryContextSetParent(memory, pg_sys::TopMemoryContext);
            shape
        }
    }

    /// Frees the memory of a shape that is not used any more. This is no `Drop`: a process drops what it keeps when it
    /// exits, and then PostgreSQL's memory is gone already.
    pub fn free(&self) {
        // SAFETY: nobody else has this shape, because a table's shape is replaced only while the table is not in use.
        unsafe { pg_sys::MemoryContextDelete(self.memory) };
    }

    /// # Safety
    /// As of [`read`](Self::read).
    unsafe fn read_all(&mut self, relation: pg_sys::Relation, table: Definition) -> Result<(), Decline> {
        // SAFETY: the caller vouches for the relation.
        unsafe {
            self.check_table(relation, table)?;
            self.read_columns(relation, table)?;
            self.read_checks(relation)?;
            self.read_indexes(relation)
        }
    }

    /// # Safety
    /// As of [`read`](Self::read).
    unsafe fn check_table(&self, relation: pg_sys::Relation, table: Definition) -> Result<(), Decline> {
        // SAFETY: an open relation has these parts. The rest are lookups in the system caches.
        unsafe {
            let about = &*(*relation).rd_rel;
            let name = CStr::from_ptr(about.relname.data.as_ptr());
            let may = |right: u32| {
                pg_sys::pg_class_aclcheck(self.id, self.owner, right as pg_sys::AclMode)
                    == pg_sys::AclResult::ACLCHECK_OK
            };
            let is_plain = name == table.name
                && about.relnamespace == schema()
                && about.relkind as u8 == pg_sys::RELKIND_RELATION
                && about.relam == pg_sys::HEAP_TABLE_AM_OID
                && (*relation).rd_rules.is_null()
                && !about.relrowsecurity
                && !about.relispartition
                && !about.relhassubclass
                && [pg_sys::ACL_SELECT, pg_sys::ACL_INSERT, pg_sys::ACL_UPDATE].into_iter().all(may);
            if is_plain { Ok(()) } else { Err(Decline::Table) }
        }
    }

    /// # Safety
    /// As of [`read`](Self::read).
    unsafe fn read_columns(&mut self, relation: pg_sys::Relation, table: Definition) -> Result<(), Decline> {
        // SAFETY: the descriptor belongs to the relation, which stays open meanwhile.
        let descriptor = unsafe { PgTupleDesc::from_pg_unchecked((*relation).rd_att) };
        if descriptor.len() != table.columns.len() {
            return Err(Decline::Columns);
        }
        for (position, (column, (name, of))) in descriptor.iter().zip(table.columns).enumerate() {
            let is_same = column.name() == *name
                && !column.attisdropped
                && column.attgenerated == 0
                && column.attidentity == 0
                && column.atttypmod == -1
                && self.is_type(position, column.atttypid, *of);
            if !is_same {
                return Err(Decline::Columns);
            }
            self.not_null |= u64::from(column.attnotnull) << position;
            self.defaults |= u64::from(column.atthasdef) << position;
        }
        Ok(())
    }

    /// Returns whether a column has the type that the extension gave it, and reads the labels of an enum and the
    /// constraints of a domain.
    fn is_type(&mut self, position: usize, id: pg_sys::Oid, of: TypeName) -> bool {
        match of {
            TypeName::Server(expected) => id == expected,
            TypeName::Domain(name, base) => {
                // SAFETY: looks the domain up in the system caches.
                let is_it = id == type_of(name) && unsafe { pg_sys::getBaseType(id) } == base;
                let memory = self.memory;
                self.domains.push(Domain { position, id, state: Cell::default(), memory });
                is_it
            }
            TypeName::Enum(name, labels) => {
                let numbers = labels.iter().map(|&label| Some((position, label, number_of(id, label)?)));
                let numbers: Option<Vec<_>> = numbers.collect();
                let is_it = id == type_of(name) && numbers.is_some();
                self.labels.0.extend(numbers.unwrap_or_default());
                is_it
            }
        }
    }

    /// # Safety
    /// As of [`read`](Self::read).
    unsafe fn read_checks(&mut self, relation: pg_sys::Relation) -> Result<(), Decline> {
        // SAFETY: the constraints belong to the relation, which stays open meanwhile; `stringToNode` makes a copy. The
        // constraints of a domain are read into this shape's memory and only looked at here.
        unsafe {
            let constraints = (*(*relation).rd_att).constr;
            let count = if constraints.is_null() { 0 } else { (*constraints).num_check };
            for n in 0..usize::from(count) {
                let expression = pg_sys::stringToNode((*(*constraints).check.add(n)).ccbin);
                columns_of(expression.cast()).ok_or(Decline::Checks)?;
                self.checks.push(pg_sys::ExecPrepareExpr(expression.cast(), self.estate));
            }
            for domain in &self.domains {
                // PostgreSQL writes to it once more when the memory is freed.
                let size = size_of::<pg_sys::DomainConstraintRef>();
                let constraints = pg_sys::palloc0(size).cast::<pg_sys::DomainConstraintRef>();
                pg_sys::InitDomainConstraintRef(domain.id, constraints, self.memory, false);
                let all = PgList::<pg_sys::DomainConstraintState>::from_pg((*constraints).constraints);
                for one in all.iter_ptr() {
                    columns_of((*one).check_expr.cast()).ok_or(Decline::Checks)?;
                }
            }
            Ok(())
        }
    }

    /// # Safety
    /// As of [`read`](Self::read).
    unsafe fn read_indexes(&mut self, relation: pg_sys::Relation) -> Result<(), Decline> {
        // SAFETY: the list is a copy. An index of a table that is locked cannot be dropped.
        unsafe {
            let list = PgList::<pg_sys::Oid>::from_pg(pg_sys::RelationGetIndexList(relation));
            self.all_indexes = list.iter_oid().collect();
            for &id in &self.all_indexes {
                let index = pg_sys::index_open(id, pg_sys::AccessShareLock as c_int);
                let is_ready = (*(*index).rd_index).indisready;
                let read = Index::read(index, self.estate, &self.types);
                pg_sys::index_close(index, pg_sys::NoLock as c_int);
                if is_ready {
                    self.indexes.push(read.ok_or(Decline::Indexes)?);
                }
            }
            // A row's entries are a bit for each index.
            if self.indexes.len() <= u64::BITS as usize { Ok(()) } else { Err(Decline::Indexes) }
        }
    }
}

/// Returns the number of the extension's schema, or an invalid one if there is none.
fn schema() -> pg_sys::Oid {
    // SAFETY: a lookup in a system cache.
    unsafe { pg_sys::get_namespace_oid(c"booking".as_ptr(), true) }
}

/// Returns the number of a type of the extension's schema.
fn type_of(name: &CStr) -> pg_sys::Oid {
    // SAFETY: lookups in the system caches.
    unsafe {
        find(
            pg_sys::SysCacheIdentifier::TYPENAMENSP,
            pg_sys::Anum_pg_type_oid,
            [pg_sys::Datum::from(name.as_ptr()), pg_sys::Datum::from(schema())],
        )
    }
}

/// Returns the number of a label of an enum, or `None` if the enum has no such label.
fn number_of(kind: pg_sys::Oid, label: &str) -> Option<pg_sys::Datum> {
    let label = CString::new(label).ok()?;
    // SAFETY: a lookup in a system cache.
    let number = unsafe {
        find(
            pg_sys::SysCacheIdentifier::ENUMTYPOIDNAME,
            pg_sys::Anum_pg_enum_oid,
            [pg_sys::Datum::from(kind), pg_sys::Datum::from(label.as_ptr())],
        )
    };
    (number != pg_sys::InvalidOid).then(|| pg_sys::Datum::from(number))
}

/// Returns the number of an object, or an invalid one if there is none.
///
/// # Safety
/// The system cache must have these two keys and this column.
unsafe fn find(
    cache: pg_sys::SysCacheIdentifier::Type,
    column: u32,
    keys: [pg_sys::Datum; 2],
) -> pg_sys::Oid {
    let (none, [first, second]) = (pg_sys::Datum::null(), keys);
    // SAFETY: the caller vouches for the cache.
    unsafe { pg_sys::GetSysCacheOid(cache as c_int, column as i16, first, second, none, none) }
}

/// # Safety
/// The parent must be a memory context of the server.
unsafe fn new_memory(parent: pg_sys::MemoryContext) -> pg_sys::MemoryContext {
    // SAFETY: the server's own function. It keeps the name.
    unsafe {
        pg_sys::AllocSetContextCreateInternal(
            parent,
            c"booking table".as_ptr(),
            pg_sys::ALLOCSET_SMALL_MINSIZE as usize,
            pg_sys::ALLOCSET_SMALL_INITSIZE as usize,
            pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
        )
    }
}
