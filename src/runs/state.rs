//! The state of a run: where a worker that comes back after a crash goes on.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{Row, Run};
use crate::server::arguments;
use crate::server::jsonb::{self, Document};
use crate::server::statements::{self, Statement};

/// Saves the state of a run, in the same transaction as the work that led to it. No event is
/// recorded, because the state belongs to the application and may change often. Also the state of a
/// run on hold can be saved.
///
/// `state`: a JSON object; `merge`: whether its keys are set beside those that the state has
/// already (each key as a whole), or the state is replaced. Returns: the row.
/// Errors: 22004, 22023 a state that is not an object, P0002 unknown thread, 55000 the run has
/// ended. Since 0.7.0.
#[pg_extern(sql = false, volatile)]
fn save_run_state(
    thread_id: Option<&str>,
    state: Option<Document>,
    merge: default!(Option<bool>, "true"),
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    static SAVE: Statement = Statement::new(
        "UPDATE orchestrator.orchestrator_runs AS r \
         SET state = CASE WHEN $3 THEN r.state || $2 ELSE $2 END WHERE r.id = $1 RETURNING r",
    );
    let thread_id = arguments::filled("thread_id", thread_id)?;
    let state = jsonb::object("state", state)?;
    let merge = merge.unwrap_or(true);
    let run = Run::lock_open(thread_id)?;
    let arguments = [run.id.into(), state.into(), merge.into()];
    Ok(run.written(SAVE.update(&arguments, statements::one::<Row>)?)?)
}
