//! What the expressions of a table do: those of its indexes, its checks and its domains.
#![allow(unsafe_code)]

use pgrx::{PgList, is_a, pg_sys};

/// Returns the columns that an expression reads, a bit for each with the first column as bit 0. Returns `None` unless
/// all of it is made of the server's own immutable functions and operators.
///
/// Whatever else an expression may do, a kept copy of it could be wrong: PostgreSQL replaces SQL functions by their
/// bodies when it prepares an expression, and a user's function could be replaced or read the caller's search path. A
/// function that is only stable could read that path as well, as a cast to `regclass` does.
///
/// # Safety
/// The node must be an expression that PostgreSQL has parsed, or a list of such, or null.
pub unsafe fn columns_of(node: *mut pg_sys::Node) -> Option<u64> {
    use pg_sys::NodeTag::*;
    if node.is_null() {
        return Some(0);
    }
    // SAFETY: each node's tag is compared before the cast, and the children of a parsed expression are complete.
    unsafe {
        match (*node).type_ {
            T_List => columns_of_list(node.cast()),
            T_Const | T_CoerceToDomainValue => Some(0),
            T_Var => {
                let var = &*node.cast::<pg_sys::Var>();
                // The row as a whole, or a column of the system, is none of those that are counted here.
                (var.varattno > 0 && var.varattno <= 64).then(|| 1 << (var.varattno - 1))
            }
            T_OpExpr => {
                let operation = &*node.cast::<pg_sys::OpExpr>();
                columns_of_call(is_immutable_operator(operation.opno), operation.args)
            }
            T_ScalarArrayOpExpr => {
                let operation = &*node.cast::<pg_sys::ScalarArrayOpExpr>();
                columns_of_call(is_immutable_operator(operation.opno), operation.args)
            }
            T_FuncExpr => {
                let call = &*node.cast::<pg_sys::FuncExpr>();
                columns_of_call(is_immutable_function(call.funcid), call.args)
            }
            T_MinMaxExpr => {
                let choice = &*node.cast::<pg_sys::MinMaxExpr>();
                columns_of_call(is_of_the_server(choice.minmaxtype), choice.args)
            }
            T_BoolExpr => columns_of_list((*node.cast::<pg_sys::BoolExpr>()).args),
            T_NullTest => columns_of((*node.cast::<pg_sys::NullTest>()).arg.cast()),
            T_BooleanTest => columns_of((*node.cast::<pg_sys::BooleanTest>()).arg.cast()),
            T_RelabelType => columns_of((*node.cast::<pg_sys::RelabelType>()).arg.cast()),
            _ => None,
        }
    }
}

/// Returns the columns that the arguments of a call read. Returns `None` also if the call itself is not allowed.
///
/// # Safety
/// As of [`columns_of`].
unsafe fn columns_of_call(is_allowed: bool, arguments: *mut pg_sys::List) -> Option<u64> {
    // SAFETY: the caller vouches for the list.
    if is_allowed { unsafe { columns_of_list(arguments) } } else { None }
}

/// # Safety
/// As of [`columns_of`].
unsafe fn columns_of_list(list: *mut pg_sys::List) -> Option<u64> {
    // SAFETY: the caller vouches for the list.
    unsafe {
        let mut nodes = PgList::<pg_sys::Node>::from_pg(list).iter_ptr().collect::<Vec<_>>().into_iter();
        nodes.try_fold(0, |columns, node| Some(columns | columns_of(node)?))
    }
}

/// Returns whether a condition is true of every row whose `column` (from 0) is not null: there is none, or it is that
/// the column is not null.
///
/// # Safety
/// The list must be the condition of an index.
pub unsafe fn is_only_not_null(condition: *mut pg_sys::List, columns: &[usize]) -> bool {
    // SAFETY: each node's tag is compared before the cast.
    unsafe {
        PgList::<pg_sys::Node>::from_pg(condition).iter_ptr().all(|node| {
            if !is_a(node, pg_sys::NodeTag::T_NullTest) {
                return false;
            }
            let test = &*node.cast::<pg_sys::NullTest>();
            let is_column = is_a(test.arg.cast(), pg_sys::NodeTag::T_Var)
                && columns.iter().any(|&column| {
                    usize::try_from((*test.arg.cast::<pg_sys::Var>()).varattno) == Ok(column + 1)
                });
            test.nulltesttype == pg_sys::NullTestType::IS_NOT_NULL && !test.argisrow && is_column
        })
    }
}

/// Returns whether an object belongs to the server itself. Nobody can drop or replace such an object.
pub fn is_of_the_server(object: pg_sys::Oid) -> bool {
    object.to_u32() < pg_sys::FirstUnpinnedObjectId
}

fn is_immutable_operator(operator: pg_sys::Oid) -> bool {
    // SAFETY: looks the operator up in a system cache. It exists, because a stored expression depends on it.
    is_of_the_server(operator)
        && unsafe { pg_sys::op_volatile(operator) } as u8 == pg_sys::PROVOLATILE_IMMUTABLE
}

fn is_immutable_function(function: pg_sys::Oid) -> bool {
    // SAFETY: looks the function up in a system cache. It exists, because a stored expression depends on it.
    is_of_the_server(function)
        && unsafe { pg_sys::func_volatile(function) } as u8 == pg_sys::PROVOLATILE_IMMUTABLE
}
