//! The trail of a run: its own events, and those of its tasks and gates.

use pgrx::iter::SetOfIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::Row;
use crate::server::arguments;
use crate::server::statements::{self, Statement};

/// The audit events of a run, of its tasks and of its gates, the oldest first: the events of its
/// trace, those whose metadata names the thread, and those of the traces of its tasks and gates that
/// name the task or the gate. Each part is read by an index.
///
/// `thread_id`: the run. Returns: the events; none for an unknown thread.
/// Errors: 22004, 22023 blank thread. Since 0.7.0.
#[pg_extern(sql = false, stable, parallel_restricted)]
fn run_trail(
    thread_id: Option<&str>,
) -> Result<
    SetOfIterator<'static, pgrx::composite_type!('static, "orchestrator.audit_events")>,
    ErrorReport,
> {
    static TRAIL: Statement = Statement::new(include_str!("trail.sql"));
    let thread_id = arguments::filled("thread_id", thread_id)?;
    Ok(SetOfIterator::new(TRAIL.select(&[thread_id.into()], statements::column::<Row>)?))
}
