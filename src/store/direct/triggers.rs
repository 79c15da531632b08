//! The triggers of a table, and whether a row can be written in spite of them.
#![allow(unsafe_code)]

use pgrx::pg_sys;

/// Returns whether the table has triggers that an inserted row would have to run.
///
/// # Safety
/// The relation must be an open table.
pub unsafe fn stop_inserts(relation: pg_sys::Relation) -> bool {
    // SAFETY: the relcache keeps the triggers of an open table, or null.
    unsafe {
        (*relation).trigdesc.as_ref().is_some_and(|triggers| {
            triggers.trig_insert_before_row
                || triggers.trig_insert_after_row
                || triggers.trig_insert_instead_row
                || triggers.trig_insert_before_statement
                || triggers.trig_insert_after_statement
                || triggers.trig_insert_new_table
        })
    }
}

/// Returns whether the table has triggers that an updated row would have to run, whichever columns change. A foreign
/// key that refers to the table is not one: see [`are_referred_to`].
///
/// # Safety
/// The relation must be an open table.
pub unsafe fn stop_updates(relation: pg_sys::Relation) -> bool {
    // SAFETY: as in `stop_inserts`.
    unsafe {
        (*relation).trigdesc.as_ref().is_some_and(|triggers| {
            triggers.trig_update_before_row
                || triggers.trig_update_instead_row
                || triggers.trig_update_before_statement
                || triggers.trig_update_after_statement
                || triggers.trig_update_old_table
                || triggers.trig_update_new_table
                || all(triggers).any(|trigger| is_after_update(trigger) && !is_of_referenced_key(trigger))
        })
    }
}

/// Returns whether a foreign key refers to columns that differ between the two rows, so that PostgreSQL has to look
/// for the rows that refer to them. It asks the same before it runs a foreign key's trigger.
///
/// # Safety
/// The relation must be an open table for which [`stop_updates`] is false, and the slots must hold rows of it.
pub unsafe fn are_referred_to(
    relation: pg_sys::Relation,
    old: *mut pg_sys::TupleTableSlot,
    new: *mut pg_sys::TupleTableSlot,
) -> bool {
    // SAFETY: the caller vouches for the relation and the slots.
    unsafe {
        (*relation).trigdesc.as_ref().is_some_and(|triggers| {
            all(triggers).filter(|trigger| is_after_update(trigger)).any(|trigger| {
                pg_sys::RI_FKey_pk_upd_check_required((&raw const *trigger).cast_mut(), relation, old, new)
            })
        })
    }
}

/// # Safety
/// The triggers must be those of an open table.
unsafe fn all(triggers: &pg_sys::TriggerDesc) -> std::slice::Iter<'_, pg_sys::Trigger> {
    // SAFETY: the relcache keeps an array of so many.
    unsafe { std::slice::from_raw_parts(triggers.triggers, triggers.numtriggers as usize) }.iter()
}

fn is_after_update(trigger: &pg_sys::Trigger) -> bool {
    let kind = i32::from(trigger.tgtype);
    let is = |flag: u32| kind & flag as i32 != 0;
    is(pg_sys::TRIGGER_TYPE_ROW) && is(pg_sys::TRIGGER_TYPE_UPDATE)
}

fn is_of_referenced_key(trigger: &pg_sys::Trigger) -> bool {
    // SAFETY: compares the number of the function with those of the server's own.
    unsafe { pg_sys::RI_FKey_trigger_type(trigger.tgfoid) == pg_sys::RI_TRIGGER_PK as i32 }
}
