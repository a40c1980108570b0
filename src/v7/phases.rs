//! The steps of a phase: start, review, approval, completion, rollback. Each is one UPDATE. The trigger
//! in `approval` checks its requirements, as it does for every other UPDATE.

use pgrx::AllocatedByRust;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::json;

use super::open_tasks;
use super::phase::{APPROVER, Phase, hidden, number, state, unknown};
use crate::audit;
use crate::server::error::{Error, Kind};
use crate::server::jsonb::{self, Document};
use crate::server::statements::Statement;
use crate::server::{arguments, rows, statements};

/// Starts a phase that has not been started, or goes on with one that was blocked.
///
/// Returns: the row. Errors: 22004, P0002 no such phase, 55000 it is in another state, the phase
/// before is not completed and approved, or a sign-off is missing, and from whom. Since 0.4.3.
#[pg_extern(sql = false, volatile)]
fn v7_start_phase(
    phase_number: Option<i32>,
) -> Result<pgrx::composite_type!('static, "orchestrator.v7_migration_workflow"), ErrorReport> {
    // The phase before is locked first: everybody locks phases in ascending order.
    static LOCK: Statement = Statement::new(
        "SELECT w.phase_number FROM orchestrator.v7_migration_workflow AS w \
         WHERE w.phase_number = $1 FOR SHARE",
    );
    static START: Statement = Statement::new(
        "UPDATE orchestrator.v7_migration_workflow AS w SET status = 'in_progress' \
         WHERE w.phase_number = $1 AND w.status IN ('not_started', 'blocked') RETURNING w",
    );
    let number = number(phase_number)?;
    LOCK.update(&[(number - 1).into()], |_| Ok(()))?;
    let row = START.update(&[number.into()], row)?;
    Ok(row.ok_or_else(|| refused(number, "start", &["not_started", "blocked"]))?)
}

/// Puts a phase that is in progress under review, with what it delivered.
///
/// `deliverables`: a JSON array. Returns: the row.
/// Errors: 22004, 22023 not an array, P0002, 55000 it is not in progress. Since 0.4.3.
#[pg_extern(sql = false, volatile)]
fn v7_request_review(
    phase_number: Option<i32>,
    deliverables: Option<Document>,
) -> Result<pgrx::composite_type!('static, "orchestrator.v7_migration_workflow"), ErrorReport> {
    static REVIEW: Statement = Statement::new(
        "UPDATE orchestrator.v7_migration_workflow AS w SET status = 'review', deliverables = $2 \
         WHERE w.phase_number = $1 AND w.status = 'in_progress' RETURNING w",
    );
    let number = number(phase_number)?;
    let deliverables = jsonb::array("deliverables", deliverables)?;
    let row = REVIEW.update(&[number.into(), deliverables.into()], row)?;
    Ok(row.ok_or_else(|| refused(number, "be reviewed", &["in_progress"]))?)
}

/// Approves a phase that is under review.
///
/// `approved_by`: who approves; `notes`: the approval in writing. Returns: the row.
/// Errors: 22004, 22023 a blank text, P0002, 55000 it is not in review, or who approved it already.
/// Since 0.4.3; replaced in 0.8.1.
#[pg_extern(sql = false, volatile)]
fn v7_approve_phase(
    phase_number: Option<i32>,
    approved_by: Option<&str>,
    notes: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.v7_migration_workflow"), ErrorReport> {
    Ok(approve(phase_number, approved_by, notes)?)
}

/// Approves a phase that is under review, and records `phase_approved`.
///
/// `approved_by`: who approves; `notes`: the approval in writing. Returns: the row.
/// Errors: 22004, 22023 a blank text, P0002, 55000 it is not in review, or who approved it already.
/// Since 0.8.1.
#[pg_extern(sql = false, volatile)]
fn v7_approve_phase_0_8_1(
    phase_number: Option<i32>,
    approved_by: Option<&str>,
    notes: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.v7_migration_workflow"), ErrorReport> {
    let row = approve(phase_number, approved_by, notes)?;
    let facts = json!({ "phase_number": phase_number, "notes": notes });
    audit::record_fact("phase_approved", approved_by.unwrap_or(audit::SYSTEM), facts)?;
    Ok(row)
}

fn approve(
    phase_number: Option<i32>,
    approved_by: Option<&str>,
    notes: Option<&str>,
) -> Result<PgHeapTuple<'static, AllocatedByRust>, Error> {
    static APPROVE: Statement = Statement::new(
        "UPDATE orchestrator.v7_migration_workflow AS w \
         SET status = 'approved', approval_status = 'approved', approved_by = $2, approval_notes = $3 \
         WHERE w.phase_number = $1 AND w.status = 'review' RETURNING w",
    );
    let number = number(phase_number)?;
    let approved_by = arguments::filled("approved_by", approved_by)?;
    let notes = arguments::filled("notes", notes)?;
    let row = APPROVE.update(&[number.into(), approved_by.into(), notes.into()], row)?;
    row.ok_or_else(|| refused(number, "be approved", &["review"]))
}

/// Completes a phase that is approved.
///
/// Returns: the row. Errors: 22004, P0002, 55000 it is not approved, a task is open, or a sign-off
/// is missing, and from whom. Since 0.4.3.
#[pg_extern(sql = false, volatile)]
fn v7_complete_phase(
    phase_number: Option<i32>,
) -> Result<pgrx::composite_type!('static, "orchestrator.v7_migration_workflow"), ErrorReport> {
    static COMPLETE: Statement = Statement::new(
        "UPDATE orchestrator.v7_migration_workflow AS w SET status = 'completed' \
         WHERE w.phase_number = $1 AND w.status IN ('in_progress', 'review', 'approved') RETURNING w",
    );
    let number = number(phase_number)?;
    let row = COMPLETE.update(&[number.into()], row)?;
    Ok(row.ok_or_else(|| refused(number, "be completed", &["in_progress", "review", "approved"]))?)
}

/// Rolls a phase back: its open tasks are cancelled with the reason, its approval ends, and the
/// notes of the approval say who had given it and why it ended.
///
/// `reason`: must say something. Returns: the row.
/// Errors: 22004, 22023 blank reason, P0002, 55000 it has not been started, or is rolled back
/// already. Since 0.4.3.
#[pg_extern(sql = false, volatile)]
fn v7_roll_back_phase(
    phase_number: Option<i32>,
    reason: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.v7_migration_workflow"), ErrorReport> {
    static LOCK: Statement = Statement::new(
        "SELECT w.status FROM orchestrator.v7_migration_workflow AS w \
         WHERE w.phase_number = $1 FOR NO KEY UPDATE",
    );
    static ROLL_BACK: Statement = Statement::new(
        "UPDATE orchestrator.v7_migration_workflow AS w SET status = 'rolled_back', \
             approval_notes = concat_ws(E'\\n', nullif(w.approval_notes, ''), \
                 'Rolled back' || coalesce(' (approved by ' || w.approved_by || ')', '') || ': ' || $2) \
         WHERE w.phase_number = $1 RETURNING w",
    );
    let number = number(phase_number)?;
    let reason = arguments::filled("reason", reason)?;
    let status = LOCK.update(&[number.into()], |rows| {
        rows::one::<String>(rows, "v7_migration_workflow.status")
    })?;
    match status.as_deref() {
        None | Some("rolled_back" | "not_started") => {
            return Err(refused(number, "be rolled back", &[]).into());
        }
        Some(_) => {}
    }
    open_tasks::cancel(number, &format!("Rolled back: {reason}"))?;
    let row = ROLL_BACK.update(&[number.into(), reason.into()], row)?;
    Ok(row.ok_or_else(|| refused(number, "be rolled back", &[status.as_deref().unwrap_or("")]))?)
}

fn row(
    rows: pgrx::spi::SpiTupleTable<'_>,
) -> Result<Option<PgHeapTuple<'static, AllocatedByRust>>, Error> {
    statements::one(rows)
}

/// The error for a step that a phase did not take: its state is none of `from`, or an object of a user
/// hides the update.
fn refused(number: i32, step: &str, from: &[&str]) -> Error {
    match state(number) {
        Err(error) => error,
        Ok(None) => unknown(number),
        Ok(Some((phase, _))) if from.contains(&phase.status.as_str()) => hidden(&phase, step),
        Ok(Some((phase, since))) => {
            Error::new(Kind::NotReady, format!("{} cannot {step}", phase.title()))
                .detail(situation(&phase, &since))
                .hint(format!("Next: {}", phase.next_call()))
        }
    }
}

/// The state of a phase, since when, and its approval.
fn situation(phase: &Phase, [started, completed]: &[Option<String>; 2]) -> String {
    let started = started.as_ref().map(|time| format!(", started at {time}")).unwrap_or_default();
    let completed =
        completed.as_ref().map(|time| format!(", completed at {time}")).unwrap_or_default();
    let approval = match (&phase.approved_by, phase.approval_status.as_str()) {
        (Some(by), "approved") => format!("approved by {by}"),
        (_, status) => format!("its approval by {APPROVER} is {status}"),
    };
    format!("It is {}{started}{completed}; {approval}.", phase.status)
}
