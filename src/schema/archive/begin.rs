//! The beginning of a version script. Before the script changes anything, it takes its locks, and
//! it stops if a user's object is in the way.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::locks::{self, Way};
use super::{dependents, give_back, only_for_the_owner, plan, updated};
use crate::schema::manifest;
use crate::server::backend_state;
use crate::server::error::{Error, Kind, required};

/// The first call of a down script. Locks every table that the running statement needs. Refuses to
/// go on if a user's object depends on something that the step removes. Reports in a NOTICE the
/// grants on functions and views that are lost with these. Also refuses if the script must update a
/// table whose updates are published and whose rows nothing identifies.
///
/// `target`: the version that the script leads to.
/// Errors: 22004, P0002 unknown version, 42501 not the extension's owner, 55000 no script runs, or
/// a table cannot be updated, 55P03 a table could not be locked within `lock_timeout` for each
/// lock, 2BP01 a user's object depends on something that the step removes. Since 0.0.0.
#[pg_extern(sql = false, volatile)]
fn begin_downgrade(target: Option<String>) -> Result<(), ErrorReport> {
    let target = target_of_script(target)?;
    locks::take(Way::Down, manifest::position(&target)?)?;
    plan::refuse_over_dependents(&target)?;
    updated::refuse_over_identity(Way::Down, &target)?;
    Ok(())
}

/// The first call of an up script. Locks every table that the running statement needs. Refuses to
/// go on in four cases: a user's object depends on an archive whose rows the step restores; one
/// depends on a function that the step replaces by one with other arguments; one stores rows of a
/// table to which the step adds columns, or from which it drops some; or the script must update a table whose updates are published and whose rows nothing
/// identifies.
///
/// `target`: the version that the script leads to.
/// Errors: 22004, P0002 unknown version, 42501 not the extension's owner, 55000 and 55P03 as
/// `begin_downgrade`, 2BP01 a user's object depends on an archive or a function, or stores rows of
/// a table. Since 0.0.0.
#[pg_extern(sql = false, volatile)]
fn begin_upgrade(target: Option<String>) -> Result<(), ErrorReport> {
    let target = target_of_script(target)?;
    locks::take(Way::Up, manifest::position(&target)?)?;
    give_back::refuse_over_dependents(&target)?;
    plan::refuse_over_replaced(&target)?;
    dependents::refuse_over_stored_rows(&target)?;
    updated::refuse_over_identity(Way::Up, &target)?;
    Ok(())
}

/// The version that the running script leads to.
fn target_of_script(target: Option<String>) -> Result<String, Error> {
    let target = required("target", target)?;
    only_for_the_owner()?;
    manifest::position(&target)?;
    if !backend_state::in_script() {
        return Err(Error::new(
            Kind::NotReady,
            "no version script of orchestrator_schema is running",
        )
        .detail("A version script calls this function before anything else.")
        .hint(format!("ALTER EXTENSION orchestrator_schema UPDATE TO '{target}';")));
    }
    Ok(target)
}
