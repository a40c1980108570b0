//! A run: its state, its open questions, the picture of its course, and the same as tables.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde::Deserialize;

use super::axis::duration;
use super::run_course::Course;
use super::timeline::{Change, Timeline};
use super::{Frame, SHOWN, before, done, rendered};
use crate::addresses::address;
use crate::app::Visitor;
use crate::database::{Database, array, flag, maybe_number, number, optional, text};
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
    /// In milliseconds since 1970.
    ended_at: Option<i64>,
    acts: Acts,
}

struct Question {
    id: String,
    kind: String,
    status: String,
    asks: String,
    requested: String,
    decided: Option<String>,
    decided_by: Option<String>,
}

struct Calls {
    model: String,
    calls: String,
    tokens: String,
    cost: Option<String>,
}

struct Tool {
    name: String,
    calls: String,
    failed: i64,
    unfinished: i64,
    total: String,
    longest: String,
}

struct ToolCall {
    at: String,
    tool: String,
    status: String,
    duration: Option<String>,
    arguments: String,
    error: Option<String>,
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
    timeline: Option<Timeline<'a>>,
    /// The newest first.
    questions: Vec<Question>,
    calls: Vec<Calls>,
    tools: Vec<Tool>,
    tool_calls: Vec<ToolCall>,
    events: Vec<Event>,
    /// The number of all events.
    all_events: usize,
    newer: Option<u32>,
    older: Option<u32>,
}

pub async fn page(
    Visitor(session): Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let database = &session.database;
    let thread = asked.thread.as_str();
    let run = run(database, thread).await?;
    let end = run.ended_at.map(|at| Change { at, name: run.phase.clone() });
    let course = Course::read(database, thread, end).await?;
    let all_events = course.events.len();
    let events_before = before(asked.page);
    let ids: Vec<&str> =
        course.events.iter().rev().skip(events_before).map(|event| &*event.id).collect();
    let shown = ids.get(..SHOWN).unwrap_or(&ids);
    rendered(&Page {
        frame: Frame::of(&session, "/runs"),
        timeline: course.history.as_ref().map(Timeline::of),
        run,
        questions: questions(database, thread).await?,
        calls: calls(database, thread).await?,
        tools: tools(database, thread).await?,
        tool_calls: tool_calls(database, thread).await?,
        events: events(database, shown).await?,
        all_events,
        newer: asked.page.checked_sub(1),
        older: (ids.len() > shown.len()).then(|| asked.page + 1),
    })
}

async fn run(database: &Database, thread: &str) -> Result<Run, Failure> {
    const RUN: &str = include_str!("run.sql");
    let row = database.row(RUN, &[Some(thread)]).await?;
    let row = row.ok_or_else(|| Failure::NotFound("There is no run of this thread.".to_owned()))?;
    let [pause, resume, stop] = database.may(["pause_run", "resume_run", "kill_run"]).await?;
    let (is_asked, is_held_by_decider) = (flag(&row, "is_asked"), flag(&row, "is_held_by_decider"));
    let is_resumable = resume && flag(&row, "resumable");
    Ok(Run {
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
        ended_at: maybe_number(&row, "ended_at"),
        acts: Acts {
            pause: pause && flag(&row, "pausable"),
            resume: is_resumable && !is_asked && !is_held_by_decider,
            stop: stop && flag(&row, "stoppable"),
            is_asked: is_resumable && is_asked,
            is_held_by_decider: is_resumable && is_held_by_decider,
        },
    })
}

async fn questions(database: &Database, thread: &str) -> Result<Vec<Question>, Failure> {
    const QUESTIONS: &str = include_str!("run_questions.sql");
    database
        .lines(QUESTIONS, &[Some(thread)], |row| Question {
            id: text(row, "id"),
            kind: text(row, "kind"),
            status: text(row, "status"),
            asks: text(row, "asks"),
            requested: text(row, "requested"),
            decided: optional(row, "decided"),
            decided_by: optional(row, "decided_by"),
        })
        .await
}

async fn calls(database: &Database, thread: &str) -> Result<Vec<Calls>, Failure> {
    const CALLS: &str = include_str!("run_calls.sql");
    database
        .lines(CALLS, &[Some(thread)], |row| Calls {
            model: text(row, "model"),
            calls: text(row, "calls"),
            tokens: text(row, "tokens"),
            cost: optional(row, "cost"),
        })
        .await
}

async fn tools(database: &Database, thread: &str) -> Result<Vec<Tool>, Failure> {
    const TOOLS: &str = include_str!("run_tools.sql");
    database
        .lines(TOOLS, &[Some(thread)], |row| Tool {
            name: text(row, "tool"),
            calls: text(row, "calls"),
            failed: number(row, "failed"),
            unfinished: number(row, "unfinished"),
            total: duration(number(row, "total")),
            longest: duration(number(row, "longest")),
        })
        .await
}

async fn tool_calls(database: &Database, thread: &str) -> Result<Vec<ToolCall>, Failure> {
    const TOOL_CALLS: &str = include_str!("run_tool_calls.sql");
    database
        .lines(TOOL_CALLS, &[Some(thread)], |row| ToolCall {
            at: text(row, "at"),
            tool: text(row, "tool"),
            status: text(row, "status"),
            duration: maybe_number(row, "duration_ms").map(duration),
            arguments: text(row, "arguments"),
            error: optional(row, "error"),
        })
        .await
}

/// The events with these ids.
async fn events(database: &Database, ids: &[&str]) -> Result<Vec<Event>, Failure> {
    const EVENTS: &str = include_str!("run_events.sql");
    let ids = array(ids);
    database
        .lines(EVENTS, &[Some(&ids)], |row| Event {
            at: text(row, "at"),
            name: text(row, "event_type"),
            role: text(row, "role"),
            facts: text(row, "metadata"),
        })
        .await
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
