//! The decision of an approval since 0.7.3: a person decides for the role that was asked.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{Facts, Resolution, SHA256, lock_run_and_task_of, lock_run_of};
use crate::audit::identity::PERSON_OF_EVENT;
use crate::decisions::question;
use crate::decisions::terms::{
    HAS_NO_TERMS_AS, Outcome, TIMEOUT, Terms, caller, deciding, refuse_unseen_terms, was_cast,
};
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
/// caller names, $6 the caller's role if its memberships count, and $7 the role to which the approval is
/// assigned.
const MAY_DECIDE: &str = "CASE WHEN $5 IS NOT NULL THEN a.approver_role = $5 OR ($7 = $5) IS TRUE \
     ELSE a.approver_role = $3 OR ($7 = $3) IS TRUE OR EXISTS (SELECT FROM pg_roles AS r \
         WHERE r.rolname::text = ANY (ARRAY[a.approver_role, $7]) AND pg_has_role($6, r.oid, 'MEMBER')) END";

/// The parameters $1 to $7 of the statements.
fn parameters<'a>(
    resolution: &Resolution<'a>,
    role: For<'a>,
    assigned_to: Option<&'a str>,
) -> [DatumWithOid<'a>; 7] {
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
        assigned_to.into(),
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
/// was asked, 55000 the approval is already decided otherwise. Since 0.7.3; replaced in 0.8.0.
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

/// Decides a pending approval, and records `approval_approved` or `approval_rejected`. The task is released by an
/// approval, and waits for another one after a rejection. The run of the task goes on if this was the last
/// question about it, whatever the decision: a rejection is about the task alone. A paused run stays on hold, and
/// one that has ended does not change. The same decision again by the same role, logged in as the same role,
/// returns the row and changes nothing. If the approval has terms, the call is a vote, recorded as
/// `decision_voted`; the approval stays pending until enough people agree.
///
/// `decision`: approved or rejected; `approver_role`: the role that decides, which must be the role
/// that was asked, or the one to which it was assigned; `notes`: the reason, NULL keeps the notes of the request.
/// A person who decides for the role calls `decide`.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision or blank role, P0002 unknown approval, 42501 another role
/// was asked, or the caller asked and may not decide, 55000 the approval is already decided otherwise, or
/// somebody else has claimed it. Since 0.8.0.
#[pg_extern(sql = false, volatile)]
fn resolve_approval_0_8_0(
    approval_id: Option<Uuid>,
    decision: Option<&str>,
    approver_role: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.approvals"), ErrorReport> {
    let resolution = Resolution::of(approval_id, decision, approver_role, notes)?;
    Ok(decide_by_vote(&resolution, For::Named)?)
}

/// Decides an approval, lets its run go on, and records the decision. Returns the row, also if the
/// same person made the same decision before, as the same role.
///
/// Errors: P0002 unknown approval, 42501 another role was asked, 55000 the approval is already
/// decided otherwise.
pub fn decide(resolution: &Resolution<'_>, role: For<'_>) -> Result<Row, Error> {
    let parameters = parameters(resolution, role, None);
    let run = lock_run_of(resolution.id)?;
    if let Some(decided) = write(&DECIDE, &parameters)? {
        return conclude(resolution, run, decided);
    }
    match made_before(resolution, role, None)? {
        Some(row) => Ok(row),
        None => Err(not_decided(resolution, role, &parameters)?),
    }
}

/// The same by the terms of the approval, if it has any. Since 0.8.0 approvals hold their task.
///
/// Errors: as those of `decide`, and those of a vote.
pub fn decide_by_vote(resolution: &Resolution<'_>, role: For<'_>) -> Result<Row, Error> {
    static DECIDE_WITHOUT_TERMS: Statement = Statement::new(concatcp!(
        DECIDE_PENDING,
        " AND ",
        HAS_NO_TERMS_AS,
        "'approval')",
        RETURNING,
        SHA256
    ));
    static MAY: Statement = Statement::new(concatcp!(
        "SELECT ($2, $4) IS NULL OR ",
        MAY_DECIDE,
        " FROM orchestrator.approvals AS a WHERE a.id = $1"
    ));
    static STATUS: Statement =
        Statement::new("SELECT a.status FROM orchestrator.approvals AS a WHERE a.id = $1");
    let id = resolution.id;
    let run = lock_run_and_task_of(id)?;
    refuse_unseen_terms("approval", vec![id])?;
    let without_terms = parameters(resolution, role, None);
    if let Some(decided) = deciding(|| write(&DECIDE_WITHOUT_TERMS, &without_terms))? {
        return conclude(resolution, run, decided);
    }
    let terms = Terms::lock("approval", id)?;
    let assigned_to = terms.as_ref().and_then(|terms| terms.assigned_to.as_deref());
    let parameters = parameters(resolution, role, assigned_to);
    let vote = resolution.vote();
    if let Some(terms) = &terms {
        if MAY.update(&parameters, statements::one::<bool>)? != Some(true) {
            return Err(not_decided(resolution, role, &parameters)?);
        }
        match vote.cast("approval", id, terms)? {
            Outcome::Open => return read(id),
            Outcome::Decides => {
                if let Some(decided) = write(&DECIDE_HELD, &parameters)? {
                    return conclude(resolution, run, decided);
                }
            }
            Outcome::Late => {}
        }
    }
    if let Some(row) = made_before(resolution, role, assigned_to)? {
        return Ok(row);
    }
    let status = STATUS.update(&[id.into()], statements::one::<String>)?;
    if status.as_deref() == Some(resolution.decision) && was_cast(id, &vote)? {
        return read(id);
    }
    Err(not_decided(resolution, role, &parameters)?)
}

/// Decides an approval whose deadline has passed, for the role that was asked, with its locked run. Returns whether it was pending.
pub fn decide_at_deadline(
    id: Uuid,
    run: Option<Run>,
    asked_role: &str,
    approves: bool,
    notes: &str,
) -> Result<bool, Error> {
    let decision = if approves { "approved" } else { "rejected" };
    let resolution = Resolution::of(Some(id), Some(decision), Some(TIMEOUT), Some(notes))?;
    let parameters = parameters(&resolution, For::Role(asked_role), None);
    let decided = write(&DECIDE_HELD, &parameters)?;
    Ok(decided.map(|decided| conclude(&resolution, run, decided)).transpose()?.is_some())
}

/// The statement that decides a pending approval.
const DECIDE_PENDING: &str = concatcp!(
    "UPDATE orchestrator.approvals AS a \
     SET status = $2, decision_at = pg_catalog.now(), decided_by = $3, notes = coalesce($4, a.notes) \
     FROM orchestrator.tasks AS t \
     WHERE a.id = $1 AND a.status IS NOT DISTINCT FROM 'pending' AND t.id = a.task_id AND ",
    MAY_DECIDE
);
const RETURNING: &str = " RETURNING a, coalesce(t.trace_id, t.id), t.id, a.approver_role, ";
static DECIDE: Statement = Statement::new(concatcp!(DECIDE_PENDING, RETURNING, "NULL::text"));
/// The same for an approval that holds its task.
static DECIDE_HELD: Statement = Statement::new(concatcp!(DECIDE_PENDING, RETURNING, SHA256));

/// An approval that was decided.
struct Decided {
    row: Row,
    trace_id: Uuid,
    task_id: Uuid,
    /// The role that was asked.
    asked: String,
    /// What was approved, if the approval holds its task.
    sha256: Option<String>,
}

/// Decides a pending approval. `None` if it was not pending, or another role was asked.
fn write(
    decide: &'static Statement,
    parameters: &[DatumWithOid<'_>],
) -> Result<Option<Decided>, Error> {
    decide.update(parameters, |rows| {
        rows::first(rows, |row| {
            Ok(Decided {
                row: rows::value(row, 1, "approvals.id")?,
                trace_id: rows::value(row, 2, "tasks.id")?,
                task_id: rows::value(row, 3, "tasks.id")?,
                asked: rows::value(row, 4, "approvals.approver_role")?,
                sha256: rows::optional(row, 5, "tasks.data")?,
            })
        })
    })
}

/// Lets the run of the task go on, and records the decision. Returns the row.
fn conclude(resolution: &Resolution<'_>, run: Option<Run>, decided: Decided) -> Result<Row, Error> {
    let Decided { row, trace_id, task_id, asked, sha256 } = decided;
    let run = run.map(Run::release).transpose()?;
    let facts = Facts { approval_id: resolution.id, task_id, notes: resolution.notes, run, sha256 };
    facts.record_by(resolution.approver_role, resolution.event_type(), &asked, trace_id)?;
    Ok(row)
}

/// The row, if the same person made the same decision before.
fn made_before(
    resolution: &Resolution<'_>,
    role: For<'_>,
    assigned_to: Option<&str>,
) -> Result<Option<Row>, Error> {
    static MADE: Statement = Statement::new(concatcp!(
        include_str!("made_before.sql"),
        PERSON_OF_EVENT,
        " = $8 AND ",
        MAY_DECIDE
    ));
    let caller = caller()?;
    let arguments = parameters(resolution, role, assigned_to).into_iter().chain([caller.into()]);
    MADE.update(&arguments.collect::<Vec<_>>(), statements::one::<Row>)
}

fn read(id: Uuid) -> Result<Row, Error> {
    static READ: Statement =
        Statement::new("SELECT a FROM orchestrator.approvals AS a WHERE a.id = $1");
    READ.update(&[id.into()], statements::one::<Row>)?.ok_or_else(|| super::unknown(id))
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
    assigned_to: Option<String>,
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
        ", false), quote_literal(a.approver_role), $2, $4, $7 FROM orchestrator.approvals AS a WHERE a.id = $1"
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
                assigned_to: rows::optional(row, 10, "decision_terms.assigned_to")?,
            })
        })
    })?;
    let Some(State { asked, status, decided_by, decided_at, may_decide, literal, assigned_to }) =
        state
    else {
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
            .detail(match assigned_to {
                None => format!("Role \"{asked}\" was asked."),
                Some(to) => format!("Role \"{asked}\" was asked, and it is assigned to {to}."),
            })
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
    let status = question::in_words(&status);
    Ok(Error::new(Kind::NotReady, format!("approval {id} is already {status}"))
        .detail(format!("It was {status} by {by} at {time}."))
        .hint("An approval is decided once; ask again with orchestrator.request_approval."))
}
