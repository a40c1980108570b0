//! Pause, resume and kill a run. Since 0.7.0 a pause records who made it, and only `resume_run` lifts
//! it: the pause of a role that may decide, only for a role that may decide.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::json;

use super::waiting::Work;
use super::{Row, Run};
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{arguments, backend_state, rows, statements};

/// Sets the gate of a run to hold, and records `run_paused` with the reason. Pausing a run that is
/// on hold already records the new reason.
///
/// `reason`: why the run is paused. Returns: the row.
/// Errors: 22004, 22023 blank reason, P0002 unknown thread, 55000 the run has ended. Since 0.5.0;
/// replaced in 0.7.0.
#[pg_extern(sql = false, volatile)]
fn pause_run(
    thread_id: Option<&str>,
    reason: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    static HOLD: Statement = Statement::new(
        "UPDATE orchestrator.orchestrator_runs AS r SET gate_status = 'hold' WHERE r.id = $1 RETURNING r",
    );
    let thread_id = arguments::filled("thread_id", thread_id)?;
    let reason = arguments::filled("reason", reason)?;
    let run = Run::lock_open(thread_id)?;
    let row = run.written(HOLD.update(&[run.id.into()], statements::one::<Row>)?)?;
    run.record("run_paused", json!({ "reason": reason }))?;
    Ok(row)
}

/// Sets the gate of a run to go, clears `requires_human_review`, and records `run_resumed`. If both
/// are so already, nothing is changed or recorded.
///
/// Returns: the row. Errors: 22004, 22023 blank thread, P0002 unknown thread, 55000 the run has
/// ended, or waits for a review. Since 0.5.0; replaced in 0.7.0.
#[pg_extern(sql = false, volatile)]
fn resume_run(
    thread_id: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    let run = Run::lock_open(arguments::filled("thread_id", thread_id)?)?;
    refuse_while_pending(&run)?;
    Ok(resume(run)?)
}

/// Lets a locked run go on.
fn resume(run: Run) -> Result<Row, Error> {
    static GO: Statement = Statement::new(
        "UPDATE orchestrator.orchestrator_runs AS r SET gate_status = 'go', requires_human_review = false \
         WHERE r.id = $1 AND (r.gate_status IS DISTINCT FROM 'go' OR r.requires_human_review) RETURNING r",
    );
    static AS_IT_IS: Statement = Statement::new(
        "SELECT r FROM orchestrator.orchestrator_runs AS r \
         WHERE r.id = $1 AND r.gate_status = 'go' AND NOT r.requires_human_review",
    );
    if let Some(row) = GO.update(&[run.id.into()], statements::one::<Row>)? {
        run.record("run_resumed", json!({ "was": run.gate_status }))?;
        return Ok(row);
    }
    run.written(AS_IT_IS.update(&[run.id.into()], statements::one::<Row>)?)
}

fn refuse_while_pending(run: &Run) -> Result<(), Error> {
    static PENDING: Statement = Statement::new(
        "SELECT count(*), min(q.created_at)::text, min(q.id::text) FROM orchestrator.human_review_queue AS q \
         WHERE q.thread_id = $1 AND q.status IS NOT DISTINCT FROM 'pending'",
    );
    let pending = PENDING
        .update(&[run.thread_id.as_str().into()], statements::three::<i64, String, String>)?;
    match pending {
        Some((Some(count), Some(since), Some(id))) => Err(Error::new(
            Kind::NotReady,
            format!(
                "the run of thread \"{}\" waits for {}",
                run.thread_id,
                arguments::counted(count, "review")
            ),
        )
        .detail(format!("Review {id} is pending; the oldest was requested at {since}."))
        .hint("Resolve it with orchestrator.resolve_review; the last approval resumes the run.")),
        _ => Ok(()),
    }
}

/// Sets the gate of a run to hold, and records `run_paused` with the reason and the role. The run
/// stays on hold until `resume_run`, whatever the answers to its questions. Pausing again records
/// the new reason. The pause of a role that may decide stays that role's if a role that may not lift
/// it pauses again.
///
/// `reason`: why the run is paused. Returns: the row, with `held_by` and `hold_reason`.
/// Errors: 22004, 22023 blank reason, P0002 unknown thread, 55000 the run has ended. Since 0.7.0.
#[pg_extern(sql = false, volatile)]
fn pause_run_0_7_0(
    thread_id: Option<&str>,
    reason: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    static PAUSE: Statement = Statement::new(
        "UPDATE orchestrator.orchestrator_runs AS r SET gate_status = 'hold', \
             held_by = CASE WHEN $4 THEN $2 ELSE coalesce(r.held_by, $2) END, \
             hold_reason = CASE WHEN $4 THEN $3 ELSE coalesce(r.hold_reason, $3) END \
         WHERE r.id = $1 RETURNING r",
    );
    let thread_id = arguments::filled("thread_id", thread_id)?;
    let reason = arguments::filled("reason", reason)?;
    let run = Run::lock_open(thread_id)?;
    let caller = backend_state::caller();
    let takes_over = may_lift(&caller, &run)?;
    let arguments = [run.id.into(), caller.as_str().into(), reason.into(), takes_over.into()];
    let row = run.written(PAUSE.update(&arguments, statements::one::<Row>)?)?;
    run.record("run_paused", json!({ "reason": reason, "paused_by": caller }))?;
    Ok(row)
}

/// Sets the gate of a run to go, clears `requires_human_review`, lifts a pause, and records
/// `run_resumed`. If nothing of this is needed, nothing is changed or recorded.
///
/// Returns: the row. Errors: 22004, 22023 blank thread, P0002 unknown thread, 42501 a role that may
/// decide paused the run, and the caller may not, 55000 the run has ended, or a question about it is
/// open. Since 0.7.0.
#[pg_extern(sql = false, volatile)]
fn resume_run_0_7_0(
    thread_id: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    let run = Run::lock_open(arguments::filled("thread_id", thread_id)?)?;
    run.refuse_while_asked(&Work("resume_run is refused".to_owned()))?;
    let caller = backend_state::caller();
    if !may_lift(&caller, &run)? {
        return Err(not_lifted(&caller, &run)?.into());
    }
    Ok(resume(run)?)
}

/// Whether `caller` may lift the pause of a locked run. A pause by a role that may decide, or by one
/// that no longer exists, is lifted only by a role that may decide; any other by everybody who may
/// resume.
fn may_lift(caller: &str, run: &Run) -> Result<bool, Error> {
    static MAY_LIFT: Statement = Statement::new(
        "SELECT r.held_by IS NULL OR d.caller OR NOT coalesce(d.pauser, true) \
         FROM orchestrator.orchestrator_runs AS r, LATERAL ( \
             SELECT bool_or(has_function_privilege(c.oid, p.oid, 'EXECUTE')) AS caller, \
                    bool_or(has_function_privilege(h.oid, p.oid, 'EXECUTE')) AS pauser \
             FROM pg_proc AS p LEFT JOIN pg_roles AS c ON c.rolname = $2 LEFT JOIN pg_roles AS h ON h.rolname = r.held_by \
             WHERE p.pronamespace = 'orchestrator'::regnamespace AND p.proname = 'decide') AS d \
         WHERE r.id = $1",
    );
    let found = MAY_LIFT.update(&[run.id.into(), caller.into()], statements::one::<bool>)?;
    Ok(found == Some(true))
}

fn not_lifted(caller: &str, run: &Run) -> Result<Error, Error> {
    static PAUSE: Statement = Statement::new(
        "SELECT format('Role \"%s\" paused it (\"%s\").', r.held_by, left(r.hold_reason, 200)), \
                format('SELECT orchestrator.resume_run(%L);', r.thread_id) \
         FROM orchestrator.orchestrator_runs AS r WHERE r.id = $1",
    );
    let pause = PAUSE.update(&[run.id.into()], |rows| {
        rows::first(rows, |row| {
            let fact = rows::value::<String>(row, 1, "orchestrator_runs.held_by")?;
            Ok((fact, rows::value::<String>(row, 2, "orchestrator_runs.thread_id")?))
        })
    })?;
    let (fact, call) = pause.ok_or_else(|| run.not_written())?;
    Ok(Error::new(
        Kind::Forbidden,
        format!("role \"{caller}\" may not resume the run of thread \"{}\"", run.thread_id),
    )
    .detail(fact)
    .hint(format!(
        "Only a role that may decide lifts this pause; a reviewer or an admin calls: {call}"
    )))
}

/// Ends a run: phase failed, gate kill, and the reason as its error; records `run_killed`. Its
/// open questions stay open and can still be answered.
///
/// `reason`: why the run is killed. Returns: the row.
/// Errors: 22004, 22023 blank reason, P0002 unknown thread, 55000 the run has ended. Since 0.5.0.
#[pg_extern(sql = false, volatile)]
fn kill_run(
    thread_id: Option<&str>,
    reason: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.orchestrator_runs"), ErrorReport> {
    static KILL: Statement = Statement::new(
        "UPDATE orchestrator.orchestrator_runs AS r \
         SET gate_status = 'kill', phase = 'failed', error = $2 WHERE r.id = $1 RETURNING r",
    );
    let thread_id = arguments::filled("thread_id", thread_id)?;
    let reason = arguments::filled("reason", reason)?;
    let run = Run::lock(thread_id)?;
    if run.has_ended() {
        return Err(run.ended().into());
    }
    let row = run.written(KILL.update(&[run.id.into(), reason.into()], statements::one::<Row>)?)?;
    run.record("run_killed", json!({ "reason": reason, "was": run.phase }))?;
    Ok(row)
}
