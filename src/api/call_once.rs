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
        for list in [(*(*root).parse).targetList, (*(*root).parse).returningList] {
            let mut places = call_places(list, (*call).funcid);
            places.sort_unstable();
            if places.windows(2).any(|pair| pair[0] == pair[1]) {
                let name = pg_sys::get_func_name((*call).funcid);
                let name = if name.is_null() { c"verb" } else { CStr::from_ptr(name) };
                Error::expanded_call(&name.to_string_lossy()).raise();
            }
        }
    }
}

/// Returns the positions, in the statement's text, of the function's calls from which an entry of the list takes
/// one field.
///
/// # Safety
/// The list must be one of target entries.
unsafe fn call_places(list: *mut pg_sys::List, function: pg_sys::Oid) -> Vec<i32> {
    // SAFETY: each node's tag is checked before the cast.
    unsafe {
        let entries = PgList::<pg_sys::TargetEntry>::from_pg(list);
        let place = |entry: *mut pg_sys::TargetEntry| {
            let field = (*entry).expr.cast::<pg_sys::Node>();
            if !pgrx::is_a(field, pg_sys::NodeTag::T_FieldSelect) {
                return None;
            }
            let call = (*field.cast::<pg_sys::FieldSelect>()).arg.cast::<pg_sys::Node>();
            if !pgrx::is_a(call, pg_sys::NodeTag::T_FuncExpr) {
                return None;
            }
            let call = &*call.cast::<pg_sys::FuncExpr>();
            (call.funcid == function && call.location >= 0).then_some(call.location)
        };
        entries.iter_ptr().filter_map(place).collect()
    }
}
