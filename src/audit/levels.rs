//! Levels that are granted and revoked, with an event about each.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::json;

use super::{SYSTEM, record_fact};
use crate::schema::access;
use crate::server::error::Error;
use crate::server::reg_types::RegRole;

/// Gives a role a level, in place of the one it has, and records `access_granted` if that changed anything. On the
/// extension's objects the role then holds the privileges of the level and no others. Privileges that it holds as a
/// member of other roles stay. Another call after an update adds the privileges that the update brought.
///
/// `grantee`: a role; `level`: reader, worker, reviewer or admin.
/// Returns: how many privileges were granted or revoked.
/// Errors: 22004, 22023 no such level, or a role that has its rights without one, P0002 unknown
/// role, 55000 in a transaction that does not see grants made meanwhile. Since 0.8.1.
#[pg_extern(sql = false, volatile)]
fn grant_access_0_8_1(grantee: Option<RegRole>, level: Option<&str>) -> Result<i64, ErrorReport> {
    let (name, changed) = access::grant(grantee, level)?;
    record(
        changed,
        "access_granted",
        json!({ "grantee": name, "level": level, "privileges": changed }),
    )?;
    Ok(changed)
}

/// Revokes every privilege that a role holds on the extension's objects, and every one that it
/// passed on, and records `access_revoked` if there was any.
///
/// Returns: how many privileges were revoked; 0 for a role that has none.
/// Errors: 22004, 22023 a role that has its rights without a level, P0002 unknown role, 55000 in a
/// transaction that does not see grants made meanwhile. Since 0.8.1.
#[pg_extern(sql = false, volatile)]
fn revoke_access_0_8_1(grantee: Option<RegRole>) -> Result<i64, ErrorReport> {
    let (name, changed) = access::revoke(grantee)?;
    record(changed, "access_revoked", json!({ "grantee": name, "privileges": changed }))?;
    Ok(changed)
}

/// Records a change of a level, unless nothing has changed.
fn record(changed: i64, event_type: &str, facts: serde_json::Value) -> Result<(), Error> {
    if changed == 0 { Ok(()) } else { record_fact(event_type, SYSTEM, facts) }
}
