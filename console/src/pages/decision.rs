//! A question with everything that a person needs to decide it, and the acts.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query};
use axum::response::Response;
use serde_json::Value;
use tokio_postgres::Row;

use super::filter::Filter;
use super::{Frame, done, rendered};
use crate::app::Visitor;
use crate::database::{Database, flag, long, number, optional, text};
use crate::failure::Failure;
use crate::forms::Act;
use crate::sessions::Visit;

/// The acts of the page that the role may do and the state of the question allows. The others are not shown.
struct Acts {
    decide: bool,
    /// Claim and assign.
    hand_over: bool,
    release: bool,
    withdraw: bool,
    stop: bool,
    /// Somebody else has claimed the question.
    is_claimed_by_other: bool,
    /// The role asked the question, and the rule lets somebody else decide.
    is_kept_out: bool,
}

impl Acts {
    async fn of(database: &Database, card: &Row) -> Result<Acts, Failure> {
        let [decide, withdraw, stop] =
            database.may(["decide", "withdraw_decision", "kill_run"]).await?;
        let is_claimed_by_other = flag(card, "is_claimed_by_other");
        let is_kept_out = flag(card, "is_kept_out");
        Ok(Acts {
            decide: decide && !is_claimed_by_other && !is_kept_out,
            hand_over: decide && !is_claimed_by_other,
            release: decide && flag(card, "is_claimed"),
            withdraw: withdraw && flag(card, "is_withdrawable"),
            stop: stop && flag(card, "run_is_open"),
            is_claimed_by_other: decide && is_claimed_by_other,
            is_kept_out: decide && is_kept_out,
        })
    }
}

/// An open question.
struct Card {
    id: String,
    kind: String,
    subject: String,
    asks: String,
    requested: String,
    due: Option<String>,
    is_overdue: bool,
    project: Option<String>,
    thread: Option<String>,
    context: Option<String>,
    violations: Vec<String>,
    task_title: Option<String>,
    task_description: Option<String>,
    task_data: Option<String>,
    run_phase: Option<String>,
    run_agent: Option<String>,
    run_cost: Option<String>,
    run_tokens: Option<String>,
    asked_role: Option<String>,
    rejection_needs_notes: bool,
    if_approved: String,
    if_rejected: String,
    assigned_to: Option<String>,
    claimed_by: Option<String>,
    claimed_until: Option<String>,
    votes: i64,
    votes_needed: i64,
    events: Vec<Line>,
    tools: Vec<Line>,
}

/// A line of what happened last.
struct Line {
    at: String,
    name: String,
    by: String,
    facts: String,
}

/// A decided question.
struct Answer {
    kind: String,
    status: String,
    subject: String,
    asks: String,
    requested: String,
    decided_by: Option<String>,
    decided_at: Option<String>,
    notes: Option<String>,
    thread: Option<String>,
}

#[derive(Template)]
#[template(path = "decision.html")]
struct Open<'a> {
    frame: Frame<'a>,
    filter: &'a Filter,
    card: Card,
    may: Acts,
}

#[derive(Template)]
#[template(path = "answer.html")]
struct Decided<'a> {
    frame: Frame<'a>,
    filter: &'a Filter,
    answer: Answer,
}

pub async fn page(
    Visitor(session): Visitor,
    Path(id): Path<String>,
    Query(filter): Query<Filter>,
) -> Result<Response, Failure> {
    const CARD: &str = include_str!("decision.sql");
    let frame = Frame::of(&session, "/");
    if let Some(row) = session.database.row(CARD, &[Some(&id), Some(&session.role)]).await? {
        let may = Acts::of(&session.database, &row).await?;
        return rendered(&Open { frame, filter: &filter, card: card(&row), may });
    }
    rendered(&Decided { frame, filter: &filter, answer: answer(&session, &id).await? })
}

fn card(row: &Row) -> Card {
    Card {
        id: text(row, "id"),
        kind: text(row, "kind"),
        subject: text(row, "subject"),
        asks: long(row, "asks").unwrap_or_default(),
        requested: text(row, "requested"),
        due: optional(row, "due"),
        is_overdue: flag(row, "overdue"),
        project: optional(row, "project_id"),
        thread: optional(row, "thread_id"),
        context: long(row, "context"),
        violations: long(row, "violations")
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect(),
        task_title: optional(row, "task_title"),
        task_description: long(row, "task_description"),
        task_data: long(row, "task_data"),
        run_phase: optional(row, "run_phase"),
        run_agent: optional(row, "run_agent"),
        run_cost: optional(row, "run_cost"),
        run_tokens: optional(row, "run_tokens"),
        asked_role: optional(row, "asked_role"),
        rejection_needs_notes: flag(row, "rejection_needs_notes"),
        if_approved: text(row, "if_approved"),
        if_rejected: text(row, "if_rejected"),
        assigned_to: optional(row, "assigned_to"),
        claimed_by: optional(row, "claimed_by"),
        claimed_until: optional(row, "claimed_until"),
        votes: number(row, "votes"),
        votes_needed: number(row, "votes_needed"),
        events: lines(&text(row, "last_events"), ["event_type", "role", "metadata"]),
        tools: lines(&text(row, "last_tool_calls"), ["tool_name", "status", "arguments"]),
    }
}

/// The elements of a JSON array, each with its time and three of its keys.
fn lines(array: &str, [name, by, facts]: [&str; 3]) -> Vec<Line> {
    let elements = serde_json::from_str::<Vec<Value>>(array).unwrap_or_default();
    let word = |value: &Value| match value {
        Value::String(word) => word.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    elements
        .iter()
        .map(|element| Line {
            at: word(&element["at"]).chars().take(19).collect::<String>().replace('T', " "),
            name: word(&element[name]),
            by: word(&element[by]),
            facts: word(&element[facts]),
        })
        .collect()
}

async fn answer(session: &Visit, id: &str) -> Result<Answer, Failure> {
    const ANSWER: &str = include_str!("answer.sql");
    let row = session.database.row(ANSWER, &[Some(id)]).await?;
    let row = row.ok_or_else(|| Failure::NotFound(format!("Question {id} does not exist.")))?;
    Ok(Answer {
        kind: text(&row, "kind"),
        status: text(&row, "status"),
        subject: text(&row, "subject"),
        asks: long(&row, "asks").unwrap_or_default(),
        requested: text(&row, "requested"),
        decided_by: optional(&row, "decided_by"),
        decided_at: optional(&row, "decided_at"),
        notes: long(&row, "notes"),
        thread: optional(&row, "thread_id"),
    })
}

/// Does what a form asks for, and shows the question again.
pub async fn act(
    Visitor(session): Visitor,
    Path((id, act)): Path<(String, String)>,
    Query(filter): Query<Filter>,
    Form(form): Form<Act>,
) -> Result<Response, Failure> {
    const DECIDE: &str =
        "SELECT status FROM orchestrator.decide($1::uuid, $2, $3, $4, acting_as => $5)";
    let (question, role) = (Some(id.as_str()), Some(session.role.as_str()));
    let decide = |word| (DECIDE, vec![question, Some(word), role, form.notes(), form.acting_as()]);
    let act = Some(match act.as_str() {
        "approve" => decide("approve"),
        "reject" => decide("reject"),
        "request-changes" => decide("request_changes"),
        "claim" => ("SELECT orchestrator.claim_decision($1::uuid, $2)::text", vec![question, role]),
        "release" => ("SELECT orchestrator.release_decision($1::uuid, $2)", vec![question, role]),
        "assign" => (
            "SELECT id FROM orchestrator.assign_decision($1::uuid, $2, $3, $4)",
            vec![question, form.assignee(), role, form.notes()],
        ),
        "withdraw" => (
            "SELECT id FROM orchestrator.withdraw_decision($1::uuid, $2, $3)",
            vec![question, role, form.notes()],
        ),
        _ => return done(&session, &form, None, "/").await,
    });
    done(&session, &form, act, &format!("/decisions/{id}{}", filter.query())).await
}
