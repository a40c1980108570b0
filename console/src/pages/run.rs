//! A run: its state, its open questions, its calls of models, and its trail.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Deserialize;

use super::decision::Rights;
use super::{Frame, done, rendered};
use crate::addresses::address;
use crate::app::Visitor;
use crate::database::{optional, text};
use crate::failure::Failure;
use crate::forms::Act;

#[derive(Deserialize)]
pub struct Asked {
    thread: String,
}

struct Run {
    thread: String,
    project: String,
    story: String,
    phase: String,
    gate: String,
    agent: Option<String>,
    safety: Option<String>,
    cost: String,
    tokens: String,
    started: String,
    completed: Option<String>,
    error: Option<String>,
    held_by: Option<String>,
    hold_reason: Option<String>,
    has_ended: bool,
}

struct Question {
    id: String,
    kind: String,
    asks: String,
}

struct Calls {
    model: String,
    calls: String,
    tokens: String,
    cost: Option<String>,
}

struct Event {
    at: String,
    name: String,
    role: String,
    facts: String,
}

#[derive(Template)]
#[template(path = "run.html")]
struct Page<'a> {
    frame: Frame<'a>,
    run: Run,
    questions: Vec<Question>,
    calls: Vec<Calls>,
    events: Vec<Event>,
    may: Rights,
}

pub async fn page(
    Visitor(session): Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    const RUN: &str = include_str!("run.sql");
    const QUESTIONS: &str = "SELECT p.id::text, p.kind, left(p.asks, 300) AS asks FROM orchestrator.pending_decisions AS p \
         WHERE p.thread_id = $1 ORDER BY p.requested_at, p.id LIMIT 100";
    const CALLS: &str = include_str!("run_calls.sql");
    const EVENTS: &str = include_str!("run_events.sql");
    let database = &session.database;
    let thread = [Some(asked.thread.as_str())];
    let row = database.row(RUN, &thread).await?;
    let row = row.ok_or_else(|| Failure::NotFound("There is no run of this thread.".to_owned()))?;
    let run = Run {
        thread: text(&row, "thread_id"),
        project: text(&row, "project_id"),
        story: text(&row, "story_id"),
        phase: text(&row, "phase"),
        gate: text(&row, "gate_status"),
        agent: optional(&row, "current_agent"),
        safety: optional(&row, "safety"),
        cost: text(&row, "cost"),
        tokens: text(&row, "tokens"),
        started: text(&row, "started"),
        completed: optional(&row, "completed"),
        error: optional(&row, "error"),
        held_by: optional(&row, "held_by"),
        hold_reason: optional(&row, "hold_reason"),
        has_ended: ["complete", "failed"].contains(&text(&row, "phase").as_str()),
    };
    let questions = database.rows(QUESTIONS, &thread).await?;
    let questions = questions
        .iter()
        .map(|row| Question {
            id: text(row, "id"),
            kind: text(row, "kind"),
            asks: text(row, "asks"),
        })
        .collect();
    let calls = database.rows(CALLS, &thread).await?;
    let calls = calls
        .iter()
        .map(|row| Calls {
            model: text(row, "model"),
            calls: text(row, "calls"),
            tokens: text(row, "tokens"),
            cost: optional(row, "cost"),
        })
        .collect();
    let events = database.rows(EVENTS, &thread).await?;
    let events = events
        .iter()
        .map(|row| Event {
            at: text(row, "at"),
            name: text(row, "event_type"),
            role: text(row, "role"),
            facts: text(row, "metadata"),
        })
        .collect();
    let may = Rights::of(database).await?;
    rendered(&Page { frame: Frame::of(&session, "/runs"), run, questions, calls, events, may })
}

/// Pauses, resumes or stops a run.
pub async fn act(
    Visitor(session): Visitor,
    Path(act): Path<String>,
    Form(form): Form<Act>,
) -> Result<Response, Failure> {
    let thread = Some(form.thread.as_str());
    let act = match act.as_str() {
        "pause" => {
            Some(("SELECT phase FROM orchestrator.pause_run($1, $2)", vec![thread, form.notes()]))
        }
        "resume" => Some(("SELECT phase FROM orchestrator.resume_run($1)", vec![thread])),
        "stop" => {
            Some(("SELECT phase FROM orchestrator.kill_run($1, $2)", vec![thread, form.notes()]))
        }
        _ => None,
    };
    done(&session, &form, act, &address("/run", "thread", &form.thread)).await
}
