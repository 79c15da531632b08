//! An error for `select (booking.hold(…)).*`.
//!
//! PostgreSQL's parser makes one call for each column of it: a hold was placed thirteen times. Every verb that writes has
//! this function as its support function, which the planner asks about each call. The copies of one call share its
//! place in the statement's text; two calls that somebody wrote do not.
#![allow(unsafe_code)]

use crate::error::Error;
use pgrx::prelude::*;
use pgrx::{Internal, PgList};
use std::ffi::CStr;

/// What the planner calls for a verb that writes. It simplifies nothing.
#[pg_extern(schema = "booking")]
fn call_once_support(request: Internal) -> Internal {
    // SAFETY: the planner passes a node, whose tag tells its type; it lives as long as the call.
    unsafe {
        if let Some(node) = request.unwrap() {
            let node: *mut pg_sys::Node = node.cast_mut_ptr();
            if pgrx::is_a(node, pg_sys::NodeTag::T_SupportRequestSimplify) {
                refuse_copies(&*node.cast::<pg_sys::SupportRequestSimplify>());
            }
        }
    }
    // Null as a pointer, not as an SQL value, which the planner would take for a mistake.
    Internal::from(Some(pg_sys::Datum::from(0)))
}

/// Raises an error if a statement's columns are made of copies of one call of the function.
///
/// # Safety
/// The request is the planner's own.
unsafe fn refuse_copies(request: &pg_sys::SupportRequestSimplify) {
    // SAFETY: without a planner's context there is no statement to look at; with one, its lists are complete.
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

/// Where in the statement's text the calls stand of which a list's entries take one field each.
///
/// # Safety
/// The list is one of target entries.
unsafe fn call_places(list: *mut pg_sys::List, function: pg_sys::Oid) -> Vec<i32> {
    // SAFETY: each node's tag is compared before it is read as what it is.
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
