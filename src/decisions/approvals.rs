//! Approvals: a role is asked about a task. Only that role decides, and only once.

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByRust, Uuid};
use serde_json::json;

use crate::audit::{self, Event};
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::Document;
use crate::server::statements::Statement;
use crate::server::{arguments, rows};

/// Asks a role to approve a task.
///
/// `notes`: facts for the role. Returns: the id of the approval.
/// Errors: 22004, 22023 blank role, P0002 unknown task. Since 0.3.0.
#[pg_extern(sql = false, volatile)]
fn request_approval(
    task_id: Option<Uuid>,
    approver_role: Option<&str>,
    notes: default!(Option<&str>, "''"),
) -> Result<Uuid, ErrorReport> {
    static REQUEST: Statement = Statement::new(
        "WITH task AS ( \
             SELECT t.id, t.trace_id FROM orchestrator.tasks AS t WHERE t.id = $1 FOR KEY SHARE \
         ), requested AS ( \
             INSERT INTO orchestrator.approvals (task_id, approver_role, notes) \
             SELECT task.id, $2, $3 FROM task RETURNING id \
         ) \
         SELECT requested.id, coalesce(task.trace_id, task.id) FROM task LEFT JOIN requested ON true",
    );
    let task_id = required("task_id", task_id)?;
    let approver_role = arguments::filled("approver_role", approver_role)?;
    let notes = required("notes", notes)?;
    let arguments = [task_id.into(), approver_role.into(), notes.into()];
    let requested = REQUEST.update(&arguments, |rows| {
        rows::first(rows, |row| {
            let approval_id = rows::optional::<Uuid>(row, 1, "approvals.id")?;
            Ok((approval_id, rows::value::<Uuid>(row, 2, "tasks.id")?))
        })
    })?;
    let Some((approval_id, trace_id)) = requested else {
        return Err(Error::new(Kind::NotFound, format!("task {task_id} does not exist"))
            .hint("An approval belongs to a task: route one with orchestrator.route_task first.")
            .into());
    };
    let approval_id = approval_id
        .ok_or_else(|| Error::no_row("the approval could not be requested", "approvals"))?;
    audit::record(Event {
        event_type: "approval_requested",
        role: approver_role,
        trace_id,
        metadata: Document::composed(json!({
            "approval_id": approval_id.to_string(),
            "task_id": task_id.to_string(),
            "notes": notes,
        })),
    })?;
    Ok(approval_id)
}

/// Decides a pending approval.
///
/// `decision`: approved or rejected; `approver_role`: the role that decides, which must be the role
/// that was asked; `notes`: the reason, NULL keeps the notes of the request.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision or blank role, P0002 unknown approval, 42501 another role
/// was asked, 55000 the approval is already decided. Since 0.3.0.
#[pg_extern(sql = false, volatile)]
pub fn resolve_approval(
    approval_id: Option<Uuid>,
    decision: Option<&str>,
    approver_role: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.approvals"), ErrorReport> {
    static RESOLVE: Statement = Statement::new(
        "UPDATE orchestrator.approvals AS a \
         SET status = $2, decision_at = pg_catalog.now(), notes = coalesce($4, a.notes) \
         FROM orchestrator.tasks AS t \
         WHERE a.id = $1 AND a.status IS NOT DISTINCT FROM 'pending' AND a.approver_role = $3 AND t.id = a.task_id \
         RETURNING a, coalesce(t.trace_id, t.id), t.id",
    );
    let id = required("approval_id", approval_id)?;
    let decision = arguments::one_of(
        "decision",
        required("decision", decision)?,
        &lifecycle::ends("approval"),
    )?;
    let approver_role = arguments::filled("approver_role", approver_role)?;
    let arguments = [id.into(), decision.into(), approver_role.into(), notes.into()];
    let resolved = RESOLVE.update(&arguments, |rows| {
        rows::first(rows, |row| {
            let approval =
                rows::value::<PgHeapTuple<'static, AllocatedByRust>>(row, 1, "approvals.id")?;
            let trace_id = rows::value::<Uuid>(row, 2, "tasks.id")?;
            Ok((approval, trace_id, rows::value::<Uuid>(row, 3, "tasks.id")?))
        })
    })?;
    let Some((row, trace_id, task_id)) = resolved else {
        return Err(not_resolved(id, approver_role)?.into());
    };
    audit::record(Event {
        event_type: if decision == "approved" { "approval_approved" } else { "approval_rejected" },
        role: approver_role,
        trace_id,
        metadata: Document::composed(json!({
            "approval_id": id.to_string(),
            "task_id": task_id.to_string(),
            "notes": notes,
        })),
    })?;
    Ok(row)
}

/// The reason why the role could not decide an approval.
fn not_resolved(id: Uuid, approver_role: &str) -> Result<Error, Error> {
    static STATE: Statement = Statement::new(
        "SELECT a.approver_role, a.status, a.decision_at::text, a.task_id FROM orchestrator.approvals AS a WHERE a.id = $1",
    );
    let state = STATE.update(&[id.into()], |rows| {
        rows::first(rows, |row| {
            let asked = rows::value::<String>(row, 1, "approvals.approver_role")?;
            let status = rows::value::<String>(row, 2, "approvals.status")?;
            rows::value::<Uuid>(row, 4, "approvals.task_id")?;
            Ok((asked, status, rows::optional::<String>(row, 3, "approvals.decision_at")?))
        })
    })?;
    Ok(match state {
        None => Error::new(Kind::NotFound, format!("approval {id} does not exist"))
            .hint("List pending approvals: SELECT * FROM orchestrator.pending_approvals;"),
        Some((asked, ..)) if asked != approver_role => Error::new(
            Kind::Forbidden,
            format!("role \"{approver_role}\" may not decide approval {id}"),
        )
        .detail(format!("Role \"{asked}\" was asked."))
        .hint("Only the role that was asked may decide."),
        Some((_, status, _)) if status == "pending" => {
            Error::no_row(format!("approval {id} could not be decided"), "approvals")
        }
        Some((asked, status, time)) => {
            let time = time.as_deref().unwrap_or("an unknown time");
            Error::new(Kind::NotReady, format!("approval {id} is already {status}"))
                .detail(format!("It was {status} by role \"{asked}\" at {time}."))
                .hint("An approval is decided once; ask again with orchestrator.request_approval.")
        }
    })
}
