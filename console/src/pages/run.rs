//! A run: its state, its open questions, its calls of models, and its trail.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Deserialize;

use super::{Frame, SHOWN, after, before, done, rendered};
use crate::addresses::address;
use crate::app::Visitor;
use crate::database::{flag, optional, text};
use crate::failure::Failure;
use crate::forms::Act;

#[derive(Deserialize)]
pub struct Asked {
    thread: String,
    /// The page of the trail.
    #[serde(default)]
    page: u32,
}

/// The acts that the role may do and the state of the run allows.
struct Acts {
    pause: bool,
    resume: bool,
    stop: bool,
    /// The run goes on only after the answers to its questions.
    is_asked: bool,
    /// Somebody who may decide has to resume the run.
    is_held_by_decider: bool,
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
    /// The page of the trail with the events before.
    next: Option<u32>,
    may: Acts,
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
    let offset = before(asked.page).to_string();
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
    };
    let [pause, resume, stop] = database.may(["pause_run", "resume_run", "kill_run"]).await?;
    let (is_asked, is_held_by_decider) = (flag(&row, "is_asked"), flag(&row, "is_held_by_decider"));
    let is_resumable = resume && flag(&row, "resumable");
    let may = Acts {
        pause: pause && flag(&row, "pausable"),
        resume: is_resumable && !is_asked && !is_held_by_decider,
        stop: stop && flag(&row, "stoppable"),
        is_asked: is_resumable && is_asked,
        is_held_by_decider: is_resumable && is_held_by_decider,
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
    let events = database.rows(EVENTS, &[thread[0], Some(&offset)]).await?;
    let next = after(asked.page, events.len());
    let events = events
        .iter()
        .map(|row| Event {
            at: text(row, "at"),
            name: text(row, "event_type"),
            role: text(row, "role"),
            facts: text(row, "metadata"),
        })
        .collect();
    rendered(&Page {
        frame: Frame::of(&session, "/runs"),
        run,
        questions,
        calls,
        events,
        next,
        may,
    })
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
