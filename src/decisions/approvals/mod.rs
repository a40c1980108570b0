//! Approvals: a role is asked about a task. That role decides, and only once. Since 0.7.3 a person decides
//! for it, and the caller who made a decision may repeat it.

pub mod answer;

use const_format::concatcp;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::spi::SpiTupleTable;
use pgrx::{AllocatedByRust, Uuid};
use serde_json::json;

use super::request_key::{self, RequestKey};
use crate::audit::{self, Event};
use crate::decisions::question;
use crate::decisions::terms::{CHANGES_REQUESTED, Vote};
use crate::runs::{self, Naming, Run};
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::Document;
use crate::server::statements::Statement;
use crate::server::{arguments, rows, statements};

const APPROVAL: request_key::Kind = request_key::Kind {
    name: "approval",
    table: "approvals",
    not_asked: "the approval could not be requested",
};

/// Asks a role to approve a task.
///
/// `notes`: facts for the role. Returns: the id of the approval.
/// Errors: 22004, 22023 blank role, P0002 unknown task. Since 0.3.0; replaced in 0.7.0.
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
    let notes = notes.unwrap_or("");
    let arguments = [task_id.into(), approver_role.into(), notes.into()];
    let requested = REQUEST.update(&arguments, requested)?;
    let (approval_id, trace_id) = requested.ok_or_else(|| unknown_task(task_id))?;
    let approval_id =
        approval_id.ok_or_else(|| Error::no_row(APPROVAL.not_asked, APPROVAL.table))?;
    let facts = Facts { approval_id, task_id, notes: Some(notes), run: None, sha256: None };
    facts.record("approval_requested", approver_role, trace_id)?;
    Ok(approval_id)
}

/// Asks a role to approve a task, and records `approval_requested`. A question about the run of
/// the task is then open: its requires_human_review is set, and it cannot become complete. Its tools
/// go on.
///
/// `notes`: facts for the role; `request_key`: the agent's own key of the question, 500 characters
/// at most. A second call with the same key and the same content returns the first approval,
/// whatever its state, and changes nothing. The notes are compared only while it is pending, because
/// the decision may replace them. Returns: the id of the approval.
/// Errors: 22004, 22023 blank role or key, 23505 the key was used with other content, P0002 unknown
/// task. Since 0.7.0; replaced in 0.8.0.
#[pg_extern(sql = false, volatile)]
fn request_approval_0_7_0(
    task_id: Option<Uuid>,
    approver_role: Option<&str>,
    notes: default!(Option<&str>, "''"),
    request_key: default!(Option<&str>, "NULL"),
) -> Result<Uuid, ErrorReport> {
    Ok(request(task_id, approver_role, notes, request_key, false)?)
}

/// Asks a role to approve a task, and records `approval_requested` with the SHA-256 of what the task is. Until
/// the task is approved, it is not claimed, started or completed, and its title, description, config and data do
/// not change. A question about the run of the task is then open: its requires_human_review is set, and it
/// cannot become complete. Its tools go on.
///
/// `notes`: facts for the role; `request_key`: the agent's own key of the question, 500 characters
/// at most. A second call with the same key and the same content returns the first approval,
/// whatever its state, and changes nothing. The notes are compared only while it is pending, because
/// the decision may replace them. Returns: the id of the approval.
/// Errors: 22004, 22023 blank role or key, 23505 the key was used with other content, P0002 unknown
/// task, 55000 the task has failed or was cancelled, or its run failed or was killed. Since 0.8.0.
#[pg_extern(sql = false, volatile)]
fn request_approval_0_8_0(
    task_id: Option<Uuid>,
    approver_role: Option<&str>,
    notes: default!(Option<&str>, "''"),
    request_key: default!(Option<&str>, "NULL"),
) -> Result<Uuid, ErrorReport> {
    question::lock_tables();
    Ok(request(task_id, approver_role, notes, request_key, true)?)
}

/// Asks a role to approve a task, or finds the question with the key. `is_held`: whether approvals hold their
/// task.
fn request(
    task_id: Option<Uuid>,
    approver_role: Option<&str>,
    notes: Option<&str>,
    request_key: Option<&str>,
    is_held: bool,
) -> Result<Uuid, Error> {
    // Runs and tasks come before approvals in the order of locks.
    static FIRST: Statement = Statement::new(
        "SELECT a.id, concat_ws(', ', CASE WHEN a.task_id <> $1 THEN 'task_id' END, \
            CASE WHEN a.approver_role <> $2 THEN 'approver_role' END, \
            CASE WHEN a.status = 'pending' AND a.notes <> $3 THEN 'notes' END) \
         FROM orchestrator.orchestrator_runs AS r RIGHT JOIN orchestrator.tasks AS t ON r.thread_id = t.thread_id \
         RIGHT JOIN orchestrator.approvals AS a ON t.id = a.task_id WHERE a.request_key = $4",
    );
    let task_id = required("task_id", task_id)?;
    let approver_role = arguments::filled("approver_role", approver_role)?;
    let notes = notes.unwrap_or("");
    let key = RequestKey::of(request_key)?;
    let content = [task_id.into(), approver_role.into(), notes.into(), request_key.into()];
    let insert = || insert(task_id, approver_role, notes, request_key, is_held);
    APPROVAL.ask(key, &FIRST, &content, insert)
}

/// Inserts an approval, marks the run of its task, and records it; `None` if another approval has
/// the key.
fn insert(
    task_id: Uuid,
    approver_role: &str,
    notes: &str,
    request_key: Option<&str>,
    is_held: bool,
) -> Result<Option<Uuid>, Error> {
    static REQUEST: Statement = Statement::new(concatcp!(
        "WITH task AS ( \
             SELECT t.* FROM orchestrator.tasks AS t WHERE t.id = $1 FOR NO KEY UPDATE \
         ), requested AS ( \
             INSERT INTO orchestrator.approvals (task_id, approver_role, notes, request_key) \
             SELECT task.id, $2, $3, $4 FROM task WHERE NOT $5 OR task.status NOT IN ('failed', 'cancelled') \
             ON CONFLICT (request_key) WHERE request_key IS NOT NULL DO NOTHING RETURNING id \
         ) \
         SELECT requested.id, coalesce(t.trace_id, t.id), t.status, CASE WHEN $5 THEN ",
        SHA256,
        " END FROM task AS t LEFT JOIN requested ON true"
    ));
    let run = lock_run(task_id)?;
    // The tasks of a run that is complete may still be done.
    if let Some(run) = run.as_ref().filter(|run| is_held && run.phase != "complete") {
        run.refuse_if_over()?;
    }
    let content =
        [task_id.into(), approver_role.into(), notes.into(), request_key.into(), is_held.into()];
    let requested = REQUEST.update(&content, |rows| {
        rows::first(rows, |row| {
            let approval_id = rows::optional::<Uuid>(row, 1, "approvals.id")?;
            let trace_id = rows::value::<Uuid>(row, 2, "tasks.id")?;
            let status = rows::value::<String>(row, 3, "tasks.status")?;
            Ok((approval_id, trace_id, status, rows::optional::<String>(row, 4, "tasks.data")?))
        })
    })?;
    let (approval_id, trace_id, status, sha256) = requested.ok_or_else(|| unknown_task(task_id))?;
    let Some(approval_id) = approval_id else {
        return if is_held { refuse_if_over(task_id, &status).map(|()| None) } else { Ok(None) };
    };
    if let Some(run) = run.as_ref().filter(|run| !run.has_ended()) {
        run.mark()?;
    }
    let facts = Facts { approval_id, task_id, notes: Some(notes), run, sha256 };
    facts.record("approval_requested", approver_role, trace_id)?;
    Ok(Some(approval_id))
}

/// Refuses an approval of a task that failed or was cancelled, since nobody could use it.
///
/// Errors: 55000.
fn refuse_if_over(task_id: Uuid, status: &str) -> Result<(), Error> {
    let hint = match status {
        "failed" => "Let it be tried again first, with orchestrator.retry_task.",
        "cancelled" => "Create another task with orchestrator.create_task.",
        _ => return Ok(()),
    };
    let message = format!("no approval of task {task_id} can be requested");
    Err(Error::new(Kind::NotReady, message).detail(format!("Its status is {status}.")).hint(hint))
}

/// Decides a pending approval.
///
/// `decision`: approved or rejected; `approver_role`: the role that decides, which must be the role
/// that was asked; `notes`: the reason, NULL keeps the notes of the request.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision or blank role, P0002 unknown approval, 42501 another role
/// was asked, 55000 the approval is already decided. Since 0.3.0; replaced in 0.7.0.
#[pg_extern(sql = false, volatile)]
pub fn resolve_approval(
    approval_id: Option<Uuid>,
    decision: Option<&str>,
    approver_role: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.approvals"), ErrorReport> {
    let resolution = Resolution::of(approval_id, decision, approver_role, notes)?;
    let (row, trace_id, task_id) = resolution.resolve()?;
    resolution.record(trace_id, task_id, None)?;
    Ok(row)
}

/// Decides a pending approval, and records `approval_approved` or `approval_rejected`. The run of
/// the task goes on if this was the last question about it, whatever the decision: a rejection is
/// about the task alone. A paused run stays on hold, and one that has ended does not change.
///
/// `decision`: approved or rejected; `approver_role`: the role that decides, which must be the role
/// that was asked; `notes`: the reason, NULL keeps the notes of the request.
/// Returns: the row.
/// Errors: 22004, 22023 unknown decision or blank role, P0002 unknown approval, 42501 another role
/// was asked, 55000 the approval is already decided. Since 0.7.0; replaced in 0.7.3.
#[pg_extern(sql = false, volatile)]
pub fn resolve_approval_0_7_0(
    approval_id: Option<Uuid>,
    decision: Option<&str>,
    approver_role: Option<&str>,
    notes: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.approvals"), ErrorReport> {
    let resolution = Resolution::of(approval_id, decision, approver_role, notes)?;
    let run = lock_run_of(resolution.id)?;
    let (row, trace_id, task_id) = resolution.resolve()?;
    let run = run.map(Run::release).transpose()?;
    resolution.record(trace_id, task_id, run)?;
    Ok(row)
}

/// Locks the run of the task of an approval; `None` if the task has none, or there is no such
/// approval.
fn lock_run_of(approval_id: Uuid) -> Result<Option<Run>, Error> {
    static TASK: Statement =
        Statement::new("SELECT a.task_id FROM orchestrator.approvals AS a WHERE a.id = $1");
    let task = TASK.update(&[approval_id.into()], statements::one::<Uuid>)?;
    Ok(task.map(lock_run).transpose()?.flatten())
}

/// Locks the run of the task of an approval, and then the task; `None` if the task has no run, or there is no
/// such approval.
pub fn lock_run_and_task_of(approval_id: Uuid) -> Result<Option<Run>, Error> {
    static TASK: Statement = Statement::new(
        "SELECT t.id FROM orchestrator.tasks AS t \
         WHERE t.id = (SELECT a.task_id FROM orchestrator.approvals AS a WHERE a.id = $1) FOR NO KEY UPDATE",
    );
    let run = lock_run_of(approval_id)?;
    if run.is_some() {
        TASK.update(&[approval_id.into()], |_| Ok(()))?;
    }
    Ok(run)
}

/// The SHA-256 of what task `t` is: its title, description, config and data, as a JSON array, in hexadecimal digits.
const SHA256: &str = "encode(sha256(convert_to(jsonb_build_array(t.title, t.description, t.config, t.data)::text, 'UTF8')), 'hex')";

/// Locks the run of a task, or the task itself if it has none; `None` if it has none, or does not exist.
fn lock_run(task_id: Uuid) -> Result<Option<Run>, Error> {
    const THREAD: &str = "SELECT t.thread_id FROM orchestrator.tasks AS t WHERE t.id = $1";
    static RUN: Naming = Naming::new(
        concatcp!(runs::LOCK_RUN_OF, THREAD, ") FOR NO KEY UPDATE"),
        concatcp!(THREAD, " FOR NO KEY UPDATE"),
    );
    Run::lock_of(task_id, &RUN)
}

/// The id of the inserted approval, if there is one, and the trace of its task.
fn requested(rows: SpiTupleTable<'_>) -> Result<Option<(Option<Uuid>, Uuid)>, Error> {
    rows::first(rows, |row| {
        let approval_id = rows::optional::<Uuid>(row, 1, "approvals.id")?;
        Ok((approval_id, rows::value::<Uuid>(row, 2, "tasks.id")?))
    })
}

fn unknown_task(task_id: Uuid) -> Error {
    Error::new(Kind::NotFound, format!("task {task_id} does not exist"))
        .hint("An approval belongs to a task: route one with orchestrator.route_task first.")
}

/// The answers that the functions of approvals take.
const ANSWERS: [&str; 2] = ["approved", "rejected"];

/// A checked decision.
pub struct Resolution<'a> {
    id: Uuid,
    decision: &'a str,
    /// The role that was asked; since 0.7.3 the person who decides for it.
    approver_role: &'a str,
    notes: Option<&'a str>,
}

impl<'a> Resolution<'a> {
    pub fn of(
        approval_id: Option<Uuid>,
        decision: Option<&'a str>,
        approver_role: Option<&'a str>,
        notes: Option<&'a str>,
    ) -> Result<Self, Error> {
        let id = required("approval_id", approval_id)?;
        let decision = required("decision", decision)?;
        let decision = arguments::one_of("decision", decision, &ANSWERS)?;
        let approver_role = arguments::filled("approver_role", approver_role)?;
        Ok(Resolution { id, decision, approver_role, notes })
    }

    /// Decides the approval. Returns its row, the trace and the id of its task.
    fn resolve(&self) -> Result<(PgHeapTuple<'static, AllocatedByRust>, Uuid, Uuid), Error> {
        static RESOLVE: Statement = Statement::new(
            "UPDATE orchestrator.approvals AS a \
             SET status = $2, decision_at = pg_catalog.now(), notes = coalesce($4, a.notes) \
             FROM orchestrator.tasks AS t \
             WHERE a.id = $1 AND a.status IS NOT DISTINCT FROM 'pending' AND a.approver_role = $3 AND t.id = a.task_id \
             RETURNING a, coalesce(t.trace_id, t.id), t.id",
        );
        let arguments =
            [self.id.into(), self.decision.into(), self.approver_role.into(), self.notes.into()];
        let resolved = RESOLVE.update(&arguments, |rows| {
            rows::first(rows, |row| {
                let approval =
                    rows::value::<PgHeapTuple<'static, AllocatedByRust>>(row, 1, "approvals.id")?;
                let trace_id = rows::value::<Uuid>(row, 2, "tasks.id")?;
                Ok((approval, trace_id, rows::value::<Uuid>(row, 3, "tasks.id")?))
            })
        })?;
        match resolved {
            Some(resolved) => Ok(resolved),
            None => Err(not_resolved(self.id, self.approver_role)?),
        }
    }

    fn record(&self, trace_id: Uuid, task_id: Uuid, run: Option<Run>) -> Result<(), Error> {
        let facts = Facts { approval_id: self.id, task_id, notes: self.notes, run, sha256: None };
        facts.record(self.event_type(), self.approver_role, trace_id)
    }

    /// The request to change the task and to ask again. The notes are checked.
    pub fn requesting_changes(id: Uuid, decided_by: &'a str, notes: Option<&'a str>) -> Self {
        Resolution { id, decision: CHANGES_REQUESTED, approver_role: decided_by, notes }
    }

    /// The vote of the person who decides.
    fn vote(&self) -> Vote<'a> {
        Vote::of(self.decision, self.approver_role, self.notes)
    }

    fn event_type(&self) -> &'static str {
        match self.decision {
            "approved" => "approval_approved",
            CHANGES_REQUESTED => "approval_changes_requested",
            _ => "approval_rejected",
        }
    }
}

/// The facts of an event about an approval.
struct Facts<'a> {
    approval_id: Uuid,
    task_id: Uuid,
    notes: Option<&'a str>,
    run: Option<Run>,
    /// What the task is, as `SHA256` says; `None` before 0.8.0.
    sha256: Option<String>,
}

impl Facts<'_> {
    fn record(&self, event_type: &str, role: &str, trace_id: Uuid) -> Result<(), Error> {
        let metadata = Document::composed(self.metadata());
        audit::record(Event { event_type, role, trace_id, metadata }).map(|_| ())
    }

    /// Records the decision of a person for the role that was asked.
    fn record_by(
        &self,
        decided_by: &str,
        event_type: &str,
        role: &str,
        trace_id: Uuid,
    ) -> Result<(), Error> {
        let mut metadata = self.metadata();
        metadata["decided_by"] = json!(decided_by);
        let metadata = Document::composed(metadata);
        audit::record(Event { event_type, role, trace_id, metadata }).map(|_| ())
    }

    fn metadata(&self) -> serde_json::Value {
        let mut metadata = json!({
            "approval_id": self.approval_id.to_string(),
            "task_id": self.task_id.to_string(),
            "notes": self.notes,
        });
        if let Some(run) = &self.run {
            metadata["thread_id"] = json!(run.thread_id);
            metadata["gate_status"] = json!(run.gate_status);
        }
        if let Some(sha256) = &self.sha256 {
            metadata["sha256"] = json!(sha256);
        }
        metadata
    }
}

fn unknown(id: Uuid) -> Error {
    Error::new(Kind::NotFound, format!("approval {id} does not exist"))
        .hint("List pending approvals: SELECT * FROM orchestrator.pending_approvals;")
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
        None => unknown(id),
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
