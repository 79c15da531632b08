//! An error for `select (booking.hold(…)).*`.
//!
//! PostgreSQL's parser expands it into one call for each column, which would place thirteen holds. Every verb that
//! writes has the function here as its support function, and the planner calls it for each call of the verb. The
//! copies of one call have the same position in the statement's text; two calls that somebody wrote have different
//! ones.
#![allow(unsafe_code)]

use crate::error::Error;
use pgrx::prelude::*;
use pgrx::{Internal, PgList};
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
        let mut places = Vec::new();
        for list in written_lists(&*(*root).parse) {
            call_places(list, (*call).funcid, &mut places);
        }
        places.sort_unstable();
        if places.windows(2).any(|pair| pair[0] == pair[1]) {
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

/// Adds the positions, in the statement's text, of the function's calls in a list of expressions: also of those below
/// a field, a row, and the arguments of another function, such as `require()`.
///
/// # Safety
/// The list must be a part of a parsed statement, or null.
unsafe fn call_places(list: *mut pg_sys::List, function: pg_sys::Oid, places: &mut Vec<i32>) {
    // SAFETY: each node's tag is checked before the cast.
    unsafe {
        for node in PgList::<pg_sys::Node>::from_pg(list).iter_ptr() {
            add_places(node, function, places);
        }
    }
}

/// # Safety
/// The node must be a part of a parsed statement, or null.
unsafe fn add_places(node: *mut pg_sys::Node, function: pg_sys::Oid, places: &mut Vec<i32>) {
    if node.is_null() {
        return;
    }
    // SAFETY: each node's tag is checked before the cast.
    unsafe {
        match (*node).type_ {
            pg_sys::NodeTag::T_List => call_places(node.cast(), function, places),
            pg_sys::NodeTag::T_TargetEntry => {
                add_places((*node.cast::<pg_sys::TargetEntry>()).expr.cast(), function, places);
            }
            pg_sys::NodeTag::T_FieldSelect => {
                add_places((*node.cast::<pg_sys::FieldSelect>()).arg.cast(), function, places);
            }
            pg_sys::NodeTag::T_RowExpr => {
                call_places((*node.cast::<pg_sys::RowExpr>()).args, function, places);
            }
            pg_sys::NodeTag::T_FuncExpr => {
                let call = &*node.cast::<pg_sys::FuncExpr>();
                // A stored statement, as of a view, has lost its positions: all are -1.
                if call.funcid == function && call.location >= 0 {
                    places.push(call.location);
                }
                call_places(call.args, function, places);
            }
            _ => {}
        }
    }
}
