//! The decision of an approval since 0.7.3: a person decides for the role that was asked.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{Facts, Resolution, lock_run_of};
use crate::runs::{Row, Run};
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{backend_state, rows, statements};

/// The way in which the person who decides stands for the role that was asked.
#[derive(Clone, Copy)]
pub enum For<'a> {
    /// The person's name is that of the role.
    Named,
    /// The caller names the role.
    Role(&'a str),
    /// The person's name is that of the role, or the caller's role is a member of a database role with
    /// that name.
    Member,
}

/// The condition that the caller may decide approval `a`: $3 is the person, $5 the role that the
/// caller names, and $6 the caller's role if its memberships count.
const MAY_DECIDE: &str = "CASE WHEN $5 IS NOT NULL THEN a.approver_role = $5 \
     ELSE a.approver_role = $3 OR EXISTS (SELECT FROM pg_roles AS r \
         WHERE r.rolname::text = a.approver_role AND pg_has_role($6, r.oid, 'MEMBER')) END";

/// The parameters $1 to $6 of the statements.
fn parameters<'a>(resolution: &Resolution<'a>, role: For<'a>) -> [DatumWithOid<'a>; 6] {
    let acting_as = match role {
        For::Role(role) => Some(role),
        For::Named | For::Member => None,
    };
    let caller = matches!(role, For::Member).then(backend_state::callers_role);
    [
        resolution.id.into(),
        resolution.decision.into(),
        resolution.approver_role.into(),
        resolution.notes.into(),
        acting_as.into(),
        caller.into(),
    ]
}

/// Decides a pending approval, and records `approval_approved` or `approval_rejected`. The run of
/// the task goes on if this was the last question about it, whatever the decision: a rejection is
/// about the task alone. A paused run stays on hold, and one that has ended does not change. The same
/// decision again by the same role, logged in as the same role, returns the row and changes nothing.
///
/// `decision`: approved or rejected; `approver_role`: the role that decides, which must be the role
/// that was asked; `notes`: the reason, NULL keeps the notes of the request. A person who decides for
/// the role calls `decide`.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision or blank role, P0002 unknown approval, 42501 another role
/// was asked, 55000 the approval is already decided otherwise. Since 0.7.3.
#[pg_extern(sql = false, volatile)]
fn resolve_approval_0_7_3(
    approval_id: Option<Uuid>,
    decision: Option<&str>,
    approver_role: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.approvals"), ErrorReport> {
    let resolution = Resolution::of(approval_id, decision, approver_role, notes)?;
    Ok(decide(&resolution, For::Named)?)
}

/// Decides an approval, lets its run go on, and records the decision. Returns the row, also if the
/// same person made the same decision before, as the same role.
///
/// Errors: P0002 unknown approval, 42501 another role was asked, 55000 the approval is already
/// decided otherwise.
pub fn decide(resolution: &Resolution<'_>, role: For<'_>) -> Result<Row, Error> {
    static DECIDE: Statement = Statement::new(concatcp!(
        "UPDATE orchestrator.approvals AS a \
         SET status = $2, decision_at = pg_catalog.now(), decided_by = $3, notes = coalesce($4, a.notes) \
         FROM orchestrator.tasks AS t \
         WHERE a.id = $1 AND a.status IS NOT DISTINCT FROM 'pending' AND t.id = a.task_id AND ",
        MAY_DECIDE,
        " RETURNING a, coalesce(t.trace_id, t.id), t.id, a.approver_role"
    ));
    static MADE: Statement = Statement::new(concatcp!(include_str!("made_before.sql"), MAY_DECIDE));
    let parameters = parameters(resolution, role);
    let run = lock_run_of(resolution.id)?;
    let decided = DECIDE.update(&parameters, |rows| {
        rows::first(rows, |row| {
            let approval = rows::value::<Row>(row, 1, "approvals.id")?;
            let trace_id = rows::value::<Uuid>(row, 2, "tasks.id")?;
            let task_id = rows::value::<Uuid>(row, 3, "tasks.id")?;
            let asked = rows::value::<String>(row, 4, "approvals.approver_role")?;
            Ok((approval, trace_id, task_id, asked))
        })
    })?;
    let Some((row, trace_id, task_id, asked)) = decided else {
        return match MADE.update(&parameters, statements::one::<Row>)? {
            Some(row) => Ok(row),
            None => Err(not_decided(resolution, role, &parameters)?),
        };
    };
    let run = run.map(Run::release).transpose()?;
    let facts = Facts { approval_id: resolution.id, task_id, notes: resolution.notes, run };
    facts.record_by(resolution.approver_role, resolution.event_type(), &asked, trace_id)?;
    Ok(row)
}

/// An approval that the caller did not decide.
struct State {
    asked: String,
    status: String,
    decided_by: String,
    decided_at: Option<String>,
    may_decide: bool,
    /// The role that was asked, as a literal.
    literal: String,
}

/// The reason why the caller could not decide an approval.
fn not_decided(
    resolution: &Resolution<'_>,
    role: For<'_>,
    parameters: &[DatumWithOid<'_>],
) -> Result<Error, Error> {
    static STATE: Statement = Statement::new(concatcp!(
        "SELECT a.approver_role, a.status, coalesce(a.decided_by, a.approver_role), a.decision_at::text, a.task_id, \
                coalesce(",
        MAY_DECIDE,
        ", false), quote_literal(a.approver_role), $2, $4 FROM orchestrator.approvals AS a WHERE a.id = $1"
    ));
    let id = resolution.id;
    let state = STATE.update(parameters, |rows| {
        rows::first(rows, |row| {
            rows::value::<Uuid>(row, 5, "approvals.task_id")?;
            Ok(State {
                asked: rows::value(row, 1, "approvals.approver_role")?,
                status: rows::value(row, 2, "approvals.status")?,
                decided_by: rows::value(row, 3, "approvals.decided_by")?,
                decided_at: rows::optional(row, 4, "approvals.decision_at")?,
                may_decide: rows::value(row, 6, "approvals.approver_role")?,
                literal: rows::value(row, 7, "approvals.approver_role")?,
            })
        })
    })?;
    let Some(State { asked, status, decided_by, decided_at, may_decide, literal }) = state else {
        return Ok(super::unknown(id));
    };
    if !may_decide {
        let (named, hint) = match role {
            For::Role(role) => (role, "Only the role that was asked may decide.".to_owned()),
            For::Named | For::Member => (
                resolution.approver_role,
                format!(
                    "Only the role that was asked may decide. A person who decides for it calls orchestrator.decide with acting_as => {literal}."
                ),
            ),
        };
        let message = format!("role \"{named}\" may not decide approval {id}");
        return Ok(Error::new(Kind::Forbidden, message)
            .detail(format!("Role \"{asked}\" was asked."))
            .hint(hint));
    }
    if status == "pending" {
        return Ok(Error::no_row(format!("approval {id} could not be decided"), "approvals"));
    }
    let time = decided_at.as_deref().unwrap_or("an unknown time");
    let by = if decided_by == asked {
        format!("role \"{asked}\"")
    } else {
        format!("{decided_by} for role \"{asked}\"")
    };
    Ok(Error::new(Kind::NotReady, format!("approval {id} is already {status}"))
        .detail(format!("It was {status} by {by} at {time}."))
        .hint("An approval is decided once; ask again with orchestrator.request_approval."))
}
