//! What is kept of an index: how its entries are written, and whether a row can be found in it.
#![allow(unsafe_code)]

use super::expressions::{columns_of, is_of_the_server, is_only_not_null};
use super::rows::TypeName;
use pgrx::pg_sys;

/// An index of a table.
pub struct Index {
    pub id: pg_sys::Oid,
    pub info: *mut pg_sys::IndexInfo,
    /// The condition of a partial index, ready to run.
    pub condition: *mut pg_sys::ExprState,
    /// Whether its entries are written as a B-tree's are, at once. All others make the row a statement's.
    pub is_btree: bool,
    pub is_unique: bool,
    /// The columns whose values its entries are sorted by, a bit for each.
    pub sorted_by: u64,
    /// The columns by which rows are found in it, if it can be used for that.
    searched_by: Vec<usize>,
    /// The columns that its condition reads, a bit for each. 0 if every row that has values in the columns by which it is
    /// searched has an entry.
    pub depends_on: u64,
}

impl Index {
    /// Reads an index that is open. Returns `None` if it has expressions that a kept copy may be wrong about.
    ///
    /// # Safety
    /// The relation must be an open index, and the memory of the executor's state must be the current one.
    pub unsafe fn read(
        index: pg_sys::Relation,
        estate: *mut pg_sys::EState,
        types: &[TypeName],
    ) -> Option<Self> {
        // SAFETY: the caller vouches for the index. What is built here is copied into the current memory.
        unsafe {
            let form = &*(*index).rd_index;
            let info = pg_sys::BuildIndexInfo(index);
            let expressions = columns_of((*info).ii_Expressions.cast())?;
            let of_condition = columns_of((*info).ii_Predicate.cast())?;
            let condition = pg_sys::ExecPrepareQual((*info).ii_Predicate, estate);
            (*info).ii_ExpressionsState = pg_sys::ExecPrepareExprList((*info).ii_Expressions, estate);
            let keys = &(&(*info).ii_IndexAttrNumbers)[..(*info).ii_NumIndexKeyAttrs as usize];
            let columns: Vec<_> = keys.iter().map_while(|&number| usize::try_from(number - 1).ok()).collect();
            let sorted_by = columns.iter().fold(expressions, |bits, column| bits | 1 << column);
            let is_btree =
                (*(*index).rd_rel).relam == pg_sys::BTREE_AM_OID && form.indimmediate && !form.indisexclusion;
            // After CREATE INDEX on a table with broken HOT chains, older snapshots must not use the index.
            let is_searchable = is_btree && form.indisvalid && !form.indcheckxmin;
            let plain = columns.iter().enumerate();
            let plain =
                plain.take_while(|&(n, &column)| is_searchable && is_plain(index, n, types.get(column)));
            let searched_by: Vec<_> = plain.map(|(_, column)| *column).collect();
            let is_whole = is_only_not_null((*info).ii_Predicate, &searched_by);
            // What reads no column at all, such as a constant, is no condition of this extension's indexes.
            let is_searched = is_whole || of_condition != 0;
            Some(Self {
                id: (*index).rd_id,
                info,
                condition,
                is_btree,
                is_unique: form.indisunique,
                sorted_by,
                searched_by: if is_searched { searched_by } else { Vec::new() },
                depends_on: if is_whole { 0 } else { of_condition },
            })
        }
    }

    /// Returns whether every row with values in these columns that the index has an entry for can be found by them.
    pub fn finds(&self, mut columns: impl Iterator<Item = usize>) -> bool {
        let mut searched_by = self.searched_by.iter();
        columns.all(|column| searched_by.next() == Some(&column))
    }
}

/// Returns whether a column of an index is compared as the code compares it: with the server's own operators and, if
/// it is a text, byte by byte.
///
/// # Safety
/// The relation must be an open index that has this column.
unsafe fn is_plain(index: pg_sys::Relation, column: usize, of: Option<&TypeName>) -> bool {
    let Some(compared) = of.and_then(|of| Comparison::of(*of)) else { return false };
    // SAFETY: the arrays have an entry for each key column of the index.
    unsafe {
        is_of_the_server(*(*index).rd_opfamily.add(column))
            && *(*index).rd_opcintype.add(column) == compared.sorted_as
            && *(*index).rd_indcollation.add(column) == compared.collation
    }
}

/// How the values of a type are compared in a search.
#[derive(Clone, Copy)]
pub struct Comparison {
    /// The type by whose order an index is sorted.
    sorted_as: pg_sys::Oid,
    pub collation: pg_sys::Oid,
    /// The function that tells whether two values are equal.
    pub equal: u32,
    /// The function that tells whether a value is at most another one, if rows are searched like that.
    pub at_most: Option<u32>,
}

impl Comparison {
    /// Returns `None` if no row is searched by a value of this type.
    pub fn of(of: TypeName) -> Option<Self> {
        let none = pg_sys::InvalidOid;
        let (sorted_as, collation, equal, at_most) = match of {
            TypeName::Enum(..) => (pg_sys::ANYENUMOID, none, pg_sys::F_ENUM_EQ, None),
            TypeName::Domain(..) => return None,
            TypeName::Server(of) => match of {
                pg_sys::TEXTOID => (of, pg_sys::C_COLLATION_OID, pg_sys::F_TEXTEQ, None),
                pg_sys::UUIDOID => (of, none, pg_sys::F_UUID_EQ, None),
                pg_sys::INT4OID => (of, none, pg_sys::F_INT4EQ, None),
                pg_sys::BOOLOID => (of, none, pg_sys::F_BOOLEQ, None),
                pg_sys::TIMESTAMPTZOID => {
                    (of, none, pg_sys::F_TIMESTAMPTZ_EQ, Some(pg_sys::F_TIMESTAMPTZ_LE))
                }
                _ => return None,
            },
        };
        Some(Self { sorted_as, collation, equal, at_most })
    }
}
