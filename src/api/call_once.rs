//! An error for `select (booking.hold(…)).*`.
//!
//! PostgreSQL's parser expands it into one call for each column, which would place thirteen holds. Every verb
//! that writes has the function here as its support function, and the planner calls it for each call of the
//! verb. The copies of one call have the same position in the statement's text; two calls that somebody wrote
//! have different ones. A stored statement, as of a view, has lost its positions. There the copies are known
//! by their columns: all that the result has, in their order, of equal calls.
#![allow(unsafe_code)]

use crate::error::Error;
use pgrx::prelude::*;
use pgrx::{Internal, PgList, PgTupleDesc};
use std::ffi::CStr;

/// The support function of every verb that writes. The planner calls it to simplify a call; it simplifies nothing,
/// but raises an error if the statement contains copies of the call.
#[pg_extern(schema = "booking")]
fn call_once_support(request: Internal) -> Internal {
    // SAFETY: the planner passes a node that lives as long as the call; the node's tag is checked before the cast.
    unsafe {
        if let Some(node) = request.unwrap() {
            let node: *mut pg_sys::Node = node.cast_mut_ptr();
            if pgrx::is_a(node, pg_sys::NodeTag::T_SupportRequestSimplify) {
                refuse_copies(&*node.cast::<pg_sys::SupportRequestSimplify>());
            }
        }
    }
    // The planner expects a null pointer, and raises an error for an SQL null.
    Internal::from(Some(pg_sys::Datum::from(0)))
}

/// Raises 0A000 if the columns of the statement are copies of one call of the function.
///
/// # Safety
/// The request must be one that the planner passed.
unsafe fn refuse_copies(request: &pg_sys::SupportRequestSimplify) {
    // SAFETY: each pointer is checked for null before it is read; the lists of a parsed statement are complete.
    unsafe {
        let (root, call) = (request.root, request.fcall);
        if root.is_null() || call.is_null() || (*root).parse.is_null() {
            return;
        }
        let mut calls = Calls::of((*call).funcid);
        for list in written_lists(&*(*root).parse) {
            calls.add_list(list);
        }
        if calls.are_copies() {
            let name = pg_sys::get_func_name((*call).funcid);
            let name = if name.is_null() { c"verb" } else { CStr::from_ptr(name) };
            Error::expanded_call(&name.to_string_lossy()).raise();
        }
    }
}

/// Returns the lists of a statement in which a star may stand: its columns, those of RETURNING, and the rows of
/// VALUES.
///
/// # Safety
/// The statement must be a parsed one.
unsafe fn written_lists(statement: &pg_sys::Query) -> Vec<*mut pg_sys::List> {
    let mut lists = vec![statement.targetList, statement.returningList];
    // SAFETY: the range table of a parsed statement has entries of this type alone.
    unsafe {
        for entry in PgList::<pg_sys::RangeTblEntry>::from_pg(statement.rtable).iter_ptr() {
            lists.push((*entry).values_lists);
        }
    }
    lists
}

/// The calls of one function in a statement.
struct Calls {
    function: pg_sys::Oid,
    /// The positions of the calls in the statement's text.
    positions: Vec<i32>,
    /// How many calls have no position.
    stored: usize,
    /// Whether one list has all columns of a call without a position, in their order.
    has_stored_star: bool,
}

impl Calls {
    fn of(function: pg_sys::Oid) -> Self {
        Self { function, positions: Vec::new(), stored: 0, has_stored_star: false }
    }

    fn are_copies(mut self) -> bool {
        self.positions.sort_unstable();
        self.has_stored_star || self.positions.windows(2).any(|pair| pair[0] == pair[1])
    }

    /// Adds the function's calls in a list of expressions: also those below a field, a row, and the arguments of
    /// another function, such as `require()`.
    ///
    /// # Safety
    /// The list must be a part of a parsed statement, or null.
    unsafe fn add_list(&mut self, list: *mut pg_sys::List) {
        // SAFETY: the nodes of the list are those of a parsed statement.
        unsafe {
            let mut columns = Columns::default();
            for node in PgList::<pg_sys::Node>::from_pg(list).iter_ptr() {
                let node = expression(node);
                let stored = self.stored;
                self.add(node);
                let are_all = columns.are_all_with(node);
                self.has_stored_star |= are_all && self.stored > stored;
            }
        }
    }

    /// # Safety
    /// The node must be a part of a parsed statement, or null.
    unsafe fn add(&mut self, node: *mut pg_sys::Node) {
        if node.is_null() {
            return;
        }
        // SAFETY: each node's tag is checked before the cast.
        unsafe {
            match (*node).type_ {
                pg_sys::NodeTag::T_List => self.add_list(node.cast()),
                pg_sys::NodeTag::T_FieldSelect => {
                    self.add((*node.cast::<pg_sys::FieldSelect>()).arg.cast());
                }
                pg_sys::NodeTag::T_RowExpr => self.add_list((*node.cast::<pg_sys::RowExpr>()).args),
                pg_sys::NodeTag::T_FuncExpr => {
                    let call = &*node.cast::<pg_sys::FuncExpr>();
                    match call.funcid == self.function {
                        true if call.location >= 0 => self.positions.push(call.location),
                        true => self.stored += 1,
                        false => {}
                    }
                    self.add_list(call.args);
                }
                _ => {}
            }
        }
    }
}

/// Returns the expression of a column of a statement, and any other node as it is.
///
/// # Safety
/// The node must be a part of a parsed statement, or null.
unsafe fn expression(node: *mut pg_sys::Node) -> *mut pg_sys::Node {
    // SAFETY: the node's tag is checked before the cast.
    unsafe {
        match !node.is_null() && pgrx::is_a(node, pg_sys::NodeTag::T_TargetEntry) {
            true => (*node.cast::<pg_sys::TargetEntry>()).expr.cast(),
            false => node,
        }
    }
}

/// The last of the nodes of a list that are the first columns of equal expressions, in their order.
#[derive(Default)]
struct Columns {
    last: Option<*mut pg_sys::FieldSelect>,
}

impl Columns {
    /// Adds the next node of the list. Returns whether the expression has no more columns.
    ///
    /// # Safety
    /// The node must be a part of a parsed statement, or null.
    unsafe fn are_all_with(&mut self, node: *mut pg_sys::Node) -> bool {
        // SAFETY: the node's tag is checked before the cast; an expression's type is in the catalogs.
        unsafe {
            if node.is_null() || !pgrx::is_a(node, pg_sys::NodeTag::T_FieldSelect) {
                self.last = None;
                return false;
            }
            let column: *mut pg_sys::FieldSelect = node.cast();
            let number = (*column).fieldnum;
            let goes_on = self.last.is_some_and(|last| {
                number == (*last).fieldnum + 1 && pg_sys::equal((*last).arg.cast(), (*column).arg.cast())
            });
            self.last = (goes_on || number == 1).then_some(column);
            goes_on && {
                let row = PgTupleDesc::for_composite_type_by_oid(pg_sys::exprType((*column).arg.cast()));
                row.is_some_and(|row| row.len() == number as usize)
            }
        }
    }
}
