//! The extension of a lease.

use pgrx::Uuid;
use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{lease, not_held};
use crate::server::error::{Error, required};
use crate::server::statements::{self, Statement};
use crate::server::{arguments, plans};

/// Extends the lease of a task that the worker holds, from now on. A lease that has expired is extended
/// too, unless the task was taken back.
///
/// `task_id`: the task; `worker`: the name with which it was claimed; `lease`: the time from now on.
/// Returns: the new end of the lease.
/// Errors: 22004, 22023 blank or overlong worker, or a lease that is not longer than zero, P0002
/// unknown task, 55000 the worker does not hold the task. Since 0.7.1.
#[pg_extern(sql = false, volatile)]
fn renew_claim(
    task_id: Option<Uuid>,
    worker: Option<&str>,
    lease: default!(Option<Interval>, "'5 minutes'"),
) -> Result<TimestampWithTimeZone, ErrorReport> {
    let id = required("task_id", task_id)?;
    let worker = arguments::name("worker", worker)?;
    let lease = self::lease(lease)?;
    Ok(plans::by_index(|| renew(id, worker, lease))?)
}

fn renew(id: Uuid, worker: &str, lease: Interval) -> Result<TimestampWithTimeZone, Error> {
    static RENEW: Statement = Statement::new(
        "UPDATE orchestrator.task_attempts AS a SET lease_expires_at = clock_timestamp() + $3 \
         WHERE a.task_id = $1 AND a.worker = $2 AND a.ended_at IS NULL RETURNING a.lease_expires_at",
    );
    let arguments = [id.into(), worker.into(), lease.into()];
    match RENEW.update(&arguments, statements::one::<TimestampWithTimeZone>)? {
        Some(end) => Ok(end),
        None => Err(not_held(id, worker)?),
    }
}
