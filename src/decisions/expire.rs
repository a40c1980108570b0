//! Deadlines of questions. `run_maintenance()` looks at them, and anyone who may call it.

use pgrx::Uuid;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::json;

use crate::agents::budgets;
use crate::decisions::kinds::{decide_at_deadline, lock_before};
use crate::decisions::question::{self, Question};
use crate::decisions::terms::{TIMEOUT, Terms};
use crate::server::error::Error;
use crate::server::statements::{self, Statement};
use crate::server::{interrupts, plans, rows};

/// After this number of escalations nothing more happens.
const MOST_ESCALATIONS: i32 = 2;

/// Approves, rejects or escalates every question without an answer in time, as its terms say. An answer that
/// comes later than the deadline but before this call counts. A question that is approved or rejected has
/// decided_by timeout. The first escalation assigns it to escalate_to, with the same time for an answer again;
/// after the second one it stays open, and is listed first. Records `decision_escalated`, or the event of the
/// answer.
///
/// Returns: each such question with its kind and the outcome: approved, rejected or escalated.
/// Since 0.8.0.
#[pg_extern(sql = false, volatile)]
pub fn expire_decisions() -> Result<
    TableIterator<'static, (name!(decision_id, Uuid), name!(kind, String), name!(outcome, String))>,
    ErrorReport,
> {
    question::lock_tables();
    Ok(TableIterator::new(expire()?))
}

/// The questions whose deadline has passed, with the outcome of each.
pub fn expire() -> Result<Vec<(Uuid, String, String)>, Error> {
    // The open questions, and not the deadlines of all that were ever asked.
    static DUE: Statement = Statement::new(
        "SELECT t.decision_id, t.kind \
         FROM (SELECT q.id, 'review' AS kind FROM orchestrator.human_review_queue AS q WHERE q.status = 'pending' \
               UNION ALL SELECT g.id, 'gate' FROM orchestrator.gates AS g WHERE g.status = 'pending' \
               UNION ALL SELECT a.id, 'approval' FROM orchestrator.approvals AS a WHERE a.status = 'pending') AS o \
              JOIN orchestrator.decision_terms AS t ON t.decision_id = o.id AND t.kind = o.kind \
         WHERE t.on_timeout IS NOT NULL AND t.due_at <= now() AND (t.on_timeout <> 'escalate' OR t.escalations < $1) \
         ORDER BY t.due_at, t.decision_id",
    );
    let mut due = plans::by_index(|| {
        DUE.update(&[MOST_ESCALATIONS.into()], |rows| {
            rows::each(rows, |row| {
                let id = rows::value::<Uuid>(row, 1, "decision_terms.decision_id")?;
                Ok((id, rows::value::<String>(row, 2, "decision_terms.kind")?))
            })
        })
    })?;
    let ids: Vec<Uuid> = due.iter().map(|(id, _)| *id).collect();
    lock_runs_and_tasks(ids.clone())?;
    // Approved questions about budgets raise windows, which everybody locks in this order.
    let of_budgets = budgets::about_windows(ids)?;
    due.sort_by_key(|(id, _)| of_budgets.iter().position(|other| other == id));
    let mut outcomes = Vec::new();
    for (id, kind) in due {
        interrupts::allow();
        if let Some(outcome) = act(&kind, id)? {
            outcomes.push((id, kind, outcome.to_owned()));
        }
    }
    Ok(outcomes)
}

/// Locks the runs of all these questions, and then the tasks of the approvals, each in the order of their ids, as every
/// function that locks more than one.
fn lock_runs_and_tasks(ids: Vec<Uuid>) -> Result<(), Error> {
    static RUNS: Statement = Statement::new(
        "SELECT r.id FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id IN ( \
             SELECT q.thread_id FROM orchestrator.human_review_queue AS q WHERE q.id = ANY ($1) \
             UNION ALL SELECT g.thread_id FROM orchestrator.gates AS g WHERE g.id = ANY ($1) \
             UNION ALL SELECT t.thread_id FROM orchestrator.tasks AS t JOIN orchestrator.approvals AS a ON a.task_id = t.id WHERE a.id = ANY ($1)) \
         ORDER BY r.id FOR NO KEY UPDATE",
    );
    static TASKS: Statement = Statement::new(
        "SELECT t.id FROM orchestrator.tasks AS t \
         WHERE t.id IN (SELECT a.task_id FROM orchestrator.approvals AS a WHERE a.id = ANY ($1)) ORDER BY t.id FOR NO KEY UPDATE",
    );
    if ids.is_empty() {
        return Ok(());
    }
    RUNS.update(&[ids.clone().into()], |_| Ok(()))?;
    TASKS.update(&[ids.into()], |_| Ok(()))
}

/// The outcome of a question that is due; `None` if it was decided meanwhile.
fn act(kind: &str, id: Uuid) -> Result<Option<&'static str>, Error> {
    static STILL_DUE: Statement = Statement::new(
        "SELECT t.on_timeout, t.due_at::text FROM orchestrator.decision_terms AS t \
         WHERE t.decision_id = $1 AND t.kind = $2 AND t.due_at <= now() AND (t.on_timeout <> 'escalate' OR t.escalations < $3)",
    );
    let Some(question) = Question::of_kind(kind, id)? else { return Ok(None) };
    let run = lock_before(&question)?;
    Terms::lock(kind, id)?;
    let arguments = [id.into(), kind.into(), MOST_ESCALATIONS.into()];
    let due = plans::by_index(|| STILL_DUE.update(&arguments, statements::two::<String, String>))?;
    let Some((Some(act), Some(due_at))) = due else { return Ok(None) };
    match act.as_str() {
        "escalate" => escalate(kind, id),
        act => {
            let approves = act == "approve";
            let outcome = if approves { "approved" } else { "rejected" };
            let notes = format!(
                "No answer until {due_at}: {outcome} by the rule for {kind} {}.",
                question.subtype
            );
            let is_decided = decide_at_deadline(&question, run, approves, &notes)?;
            Ok(is_decided.then_some(outcome))
        }
    }
}

/// Asks the next person or role, with as much time for an answer as the first had.
fn escalate(kind: &str, id: Uuid) -> Result<Option<&'static str>, Error> {
    static ESCALATE: Statement = Statement::new(
        "UPDATE orchestrator.decision_terms AS t SET assigned_to = t.escalate_to, escalations = t.escalations + 1, \
             claimed_by = NULL, claimed_until = NULL, \
             due_at = CASE WHEN t.escalations = 0 AND t.due_at > q.created_at AND isfinite(t.due_at) AND isfinite(q.created_at) \
                 THEN now() + (t.due_at - q.created_at) ELSE t.due_at END \
         FROM (SELECT r.created_at FROM orchestrator.human_review_queue AS r WHERE $2 = 'review' AND r.id = $1 \
               UNION ALL SELECT g.created_at FROM orchestrator.gates AS g WHERE $2 = 'gate' AND g.id = $1 \
               UNION ALL SELECT a.created_at FROM orchestrator.approvals AS a WHERE $2 = 'approval' AND a.id = $1) AS q \
         WHERE t.decision_id = $1 AND t.kind = $2 RETURNING t.escalate_to, t.escalations::bigint, t.due_at::text",
    );
    let question = match Question::of_kind(kind, id)? {
        Some(question) if question.is_open() => question,
        _ => return Ok(None),
    };
    let arguments = [id.into(), kind.into()];
    let escalated = ESCALATE.update(&arguments, statements::three::<String, i64, String>)?;
    let Some((assigned_to, escalations, due_at)) = escalated else { return Ok(None) };
    let facts = json!({ "assigned_to": assigned_to, "escalations": escalations, "due_at": due_at });
    question.record("decision_escalated", TIMEOUT, facts)?;
    Ok(Some("escalated"))
}
