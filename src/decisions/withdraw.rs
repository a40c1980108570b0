//! Questions that are no longer asked: withdrawn by who asked, or by the end of their run or task.

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid};
use serde_json::json;

use crate::agents::budgets;
use crate::audit;
use crate::decisions::kinds::lock_before;
use crate::decisions::question::Question;
use crate::decisions::terms;
use crate::runs::Run;
use crate::schema::lifecycle;
use crate::server::error::{Error, Kind, required};
use crate::server::statements::{self, Statement};
use crate::server::triggers::{by_key, of};
use crate::server::{arguments, backend_state};

/// Withdraws an open question, and records `review_withdrawn`, `gate_withdrawn` or `approval_withdrawn`. Its run
/// goes on if this was the last question about it. The task of an approval still needs one: the agent asks again.
///
/// `decision_id`: the review, gate or approval; `withdrawn_by`: who withdraws it, 500 characters at most;
/// `reason`: the reason. Returns: the row of view `decisions`.
/// Errors: 22004, 22023 a blank or overlong name, or a blank reason, P0002 no question has this id, 42501 the
/// caller neither asked it nor is an admin, or it is the review of a safety score or about a budget and the caller is no
/// admin, 55000 it is decided.
/// Since 0.8.0.
#[pg_extern(sql = false, volatile)]
fn withdraw_decision(
    decision_id: Option<Uuid>,
    withdrawn_by: Option<&str>,
    reason: Option<&str>,
) -> Result<pgrx::composite_type!('static, "orchestrator.decisions"), ErrorReport> {
    let id = required("decision_id", decision_id)?;
    let withdrawn_by = arguments::name("withdrawn_by", withdrawn_by)?;
    let reason = arguments::filled("reason", reason)?;
    let question = Question::find(id)?;
    refuse_others(&question)?;
    let run = lock_before(&question)?;
    terms::Terms::lock(&question.kind, id)?;
    if !withdraw(&question, withdrawn_by, reason)? {
        Question::find(id)?.refuse_if_decided()?;
        let message = format!("{} {id} could not be withdrawn", question.kind);
        return Err(Error::no_row(message, table(&question.kind)).into());
    }
    if let Some(run) = run {
        run.release()?;
    }
    Ok(question.row()?)
}

/// What asks a question in place of its worker, in words: a safety score, or a budget. The run waits for the answer.
fn asked_by_itself(question: &Question) -> Result<Option<&'static str>, Error> {
    if is_asked_by_a_score(question)? {
        return Ok(Some("A low safety score asks for it."));
    }
    let is_about_a_budget = !budgets::about_windows(vec![question.id])?.is_empty();
    Ok(is_about_a_budget.then_some("A budget that is used up asks for it."))
}

fn is_asked_by_a_score(question: &Question) -> Result<bool, Error> {
    static SCORED: Statement = Statement::new(
        "SELECT q.review_type = 'safety' AND q.safety_score IS NOT NULL FROM orchestrator.human_review_queue AS q WHERE q.id = $1",
    );
    if question.kind != "review" {
        return Ok(false);
    }
    Ok(SCORED.update(&[question.id.into()], statements::one::<bool>)? == Some(true))
}

/// Refuses a caller who neither asked the question nor may set its rules. A low score asks for its review, and not the
/// worker who records the score; the same holds for a budget.
///
/// Errors: 42501.
fn refuse_others(question: &Question) -> Result<(), Error> {
    static IS_ADMIN: Statement = Statement::new(
        "SELECT bool_or(has_function_privilege($1, p.oid, 'EXECUTE')) FROM pg_proc AS p \
         WHERE p.pronamespace = 'orchestrator'::regnamespace AND p.proname = 'set_decision_rule'",
    );
    let caller = terms::caller()?;
    let asked_as = terms::asked_as(question)?;
    let by_itself = asked_by_itself(question)?;
    if by_itself.is_none() && asked_as.as_deref() == Some(caller.as_str()) {
        return Ok(());
    }
    let role = backend_state::callers_role();
    if IS_ADMIN.update(&[role.into()], statements::one::<bool>)? == Some(true) {
        return Ok(());
    }
    let Question { kind, id, .. } = question;
    let asked = match (by_itself, asked_as) {
        (Some(words), _) => words.to_owned(),
        (None, Some(name)) => format!("{name} asked it."),
        (None, None) => "No event tells who asked it.".to_owned(),
    };
    Err(Error::new(Kind::Forbidden, format!("{caller} may not withdraw {kind} {id}"))
        .detail(asked)
        .hint("Only the one who asked withdraws a question, or an admin; the review of a safety score, or a question about a budget, only an admin."))
}

fn table(kind: &str) -> &'static str {
    match kind {
        "review" => "human_review_queue",
        "gate" => "gates",
        _ => "approvals",
    }
}

/// Withdraws a question, whose run and task are locked, and records it. Returns whether it was open.
fn withdraw(question: &Question, by: &str, reason: &str) -> Result<bool, Error> {
    static REVIEW: Statement = Statement::new(
        "UPDATE orchestrator.human_review_queue AS q \
         SET status = 'withdrawn', resolved_by = $2, resolution_notes = $3, resolved_at = pg_catalog.now() \
         WHERE q.id = $1 AND q.status IS NOT DISTINCT FROM 'pending' RETURNING q.id",
    );
    static GATE: Statement = Statement::new(
        "UPDATE orchestrator.gates AS g \
         SET status = 'withdrawn', resolved_by = $2, feedback = $3, resolved_at = pg_catalog.now() \
         WHERE g.id = $1 AND g.status IS NOT DISTINCT FROM 'pending' RETURNING g.id",
    );
    static APPROVAL: Statement = Statement::new(
        "UPDATE orchestrator.approvals AS a \
         SET status = 'withdrawn', decided_by = $2, notes = $3, decision_at = pg_catalog.now() \
         WHERE a.id = $1 AND a.status IS NOT DISTINCT FROM 'pending' RETURNING a.id",
    );
    let statement = match question.kind.as_str() {
        "review" => &REVIEW,
        "gate" => &GATE,
        _ => &APPROVAL,
    };
    let arguments = [question.id.into(), by.into(), reason.into()];
    if statement.update(&arguments, statements::one::<Uuid>)?.is_none() {
        return Ok(false);
    }
    terms::end_claim(question)?;
    let event_type = format!("{}_withdrawn", question.kind);
    let id = format!("{}_id", question.kind);
    question.record(&event_type, by, json!({ id: question.id.to_string(), "reason": reason }))?;
    Ok(true)
}

/// AFTER UPDATE row trigger `withdraw_questions('run')` or `withdraw_questions('task')`: withdraws the open
/// questions of a run that has ended, or the open approvals of a task that has failed or was cancelled. It does
/// nothing in an extension script.
///
/// Since 0.8.0.
#[pg_trigger(sql = false)]
fn withdraw_questions<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    if backend_state::in_script() {
        return Ok(None);
    }
    let of_what = trigger.extra_args()?.into_iter().next().unwrap_or_default();
    let Some(new) = trigger.new() else {
        lifecycle::misused("withdraw_questions", "it must be fired AFTER UPDATE, FOR EACH ROW");
    };
    by_key(trigger, || match of_what.as_str() {
        "run" => {
            let thread_id = required("thread_id", of::<String>(&new, "thread_id")?)?;
            let phase = of::<String>(&new, "phase")?.unwrap_or_default();
            withdraw_of_run(&thread_id, &phase)
        }
        "task" => {
            let id = required("id", of::<Uuid>(&new, "id")?)?;
            let status = of::<String>(&new, "status")?.unwrap_or_default();
            withdraw_of_task(id, &status)
        }
        _ => lifecycle::misused("withdraw_questions", "its argument is run or task"),
    });
    Ok(None)
}

/// The run is locked by the update.
fn withdraw_of_run(thread_id: &str, phase: &str) -> Result<(), Error> {
    static OPEN: Statement = Statement::new(
        "SELECT q.id FROM orchestrator.human_review_queue AS q \
         WHERE q.thread_id = $1 AND q.status IS NOT DISTINCT FROM 'pending' \
         UNION ALL \
         SELECT g.id FROM orchestrator.gates AS g WHERE g.thread_id = $1 AND g.status IS NOT DISTINCT FROM 'pending' \
         UNION ALL \
         SELECT a.id FROM orchestrator.tasks AS t JOIN orchestrator.approvals AS a ON a.task_id = t.id \
         WHERE t.thread_id = $1 AND a.status IS NOT DISTINCT FROM 'pending'",
    );
    let ids = OPEN.update(&[thread_id.into()], statements::column::<Uuid>)?;
    withdraw_all(ids, &format!("The run has ended: {phase}."))
}

/// The task is locked by the update. Its run waits for one question less.
fn withdraw_of_task(id: Uuid, status: &str) -> Result<(), Error> {
    static OPEN: Statement = Statement::new(
        "SELECT a.id FROM orchestrator.approvals AS a WHERE a.task_id = $1 AND a.status IS NOT DISTINCT FROM 'pending'",
    );
    static THREAD: Statement =
        Statement::new("SELECT t.thread_id FROM orchestrator.tasks AS t WHERE t.id = $1");
    let ids = OPEN.update(&[id.into()], statements::column::<Uuid>)?;
    if ids.is_empty() {
        return Ok(());
    }
    withdraw_all(ids, &format!("The task has ended: {status}."))?;
    if let Some(thread_id) = THREAD.update(&[id.into()], statements::one::<String>)? {
        Run::lock(&thread_id)?.release()?;
    }
    Ok(())
}

fn withdraw_all(ids: Vec<Uuid>, reason: &str) -> Result<(), Error> {
    for id in ids {
        withdraw(&Question::find(id)?, audit::SYSTEM, reason)?;
    }
    Ok(())
}
