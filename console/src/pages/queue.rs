//! The queue: how many tasks wait and run, the next ones, those that workers hold, and those that failed.

use askama::Template;
use axum::Form;
use axum::extract::Path;
use axum::response::Response;
use tokio_postgres::Row;

use super::{Frame, done, rendered};
use crate::addresses::address;
use crate::app::Visitor;
use crate::database::{Database, flag, number, optional, text};
use crate::failure::Failure;
use crate::forms::{Act, filled};

/// The open tasks of a type and a role.
struct Waiting {
    task_type: String,
    role: String,
    waiting: i64,
    scheduled: i64,
    blocked: i64,
    running: i64,
    expired: i64,
    oldest: String,
}

/// The attempts of a type that ended.
struct Ended {
    task_type: String,
    count: i64,
    failures: i64,
    median: String,
    slow: String,
}

struct Task {
    id: String,
    title: String,
    task_type: String,
    thread: Option<String>,
    role: String,
    priority: String,
    attempts: String,
    state: String,
    worker: String,
    at: String,
    error: String,
    is_late: bool,
}

/// The acts of the page.
pub struct Rights {
    pub retry: bool,
    pub cancel: bool,
}

impl Rights {
    pub async fn of(database: &Database) -> Result<Rights, Failure> {
        let [retry, cancel] = database.may(["retry_task", "cancel_task"]).await?;
        Ok(Rights { retry, cancel })
    }
}

#[derive(Template)]
#[template(path = "queue.html")]
struct Page<'a> {
    frame: Frame<'a>,
    types: Vec<Waiting>,
    ended: Vec<Ended>,
    next: Vec<Task>,
    held: Vec<Task>,
    failed: Vec<Task>,
    may: Rights,
}

pub async fn page(Visitor(session): Visitor) -> Result<Response, Failure> {
    const TYPES: &str = include_str!("queue_types.sql");
    const ENDED: &str = include_str!("queue_ended.sql");
    const NEXT: &str = include_str!("queue_next.sql");
    const HELD: &str = include_str!("queue_held.sql");
    const FAILED: &str = include_str!("queue_failed.sql");
    let database = &session.database;
    let types = database
        .lines(TYPES, &[], |row| Waiting {
            task_type: text(row, "task_type"),
            role: text(row, "to_role"),
            waiting: number(row, "waiting"),
            scheduled: number(row, "scheduled"),
            blocked: number(row, "blocked"),
            running: number(row, "running"),
            expired: number(row, "expired_leases"),
            oldest: text(row, "oldest"),
        })
        .await?;
    let ended = database
        .lines(ENDED, &[], |row| Ended {
            task_type: text(row, "task_type"),
            count: number(row, "count"),
            failures: number(row, "failures"),
            median: text(row, "median"),
            slow: text(row, "slow"),
        })
        .await?;
    let next = database.lines(NEXT, &[], task).await?;
    let held = database.lines(HELD, &[], task).await?;
    let failed = database.lines(FAILED, &[], task).await?;
    let may = Rights::of(database).await?;
    rendered(&Page { frame: Frame::of(&session, "/queue"), types, ended, next, held, failed, may })
}

/// A task of one of the lists, each of which has some of the columns.
fn task(row: &Row) -> Task {
    Task {
        id: text(row, "id"),
        title: text(row, "title"),
        task_type: text(row, "task_type"),
        thread: optional(row, "thread_id"),
        role: text(row, "to_role"),
        priority: text(row, "priority"),
        attempts: text(row, "attempts"),
        state: text(row, "state"),
        worker: text(row, "worker"),
        at: text(row, "at"),
        error: text(row, "error"),
        is_late: flag(row, "late"),
    }
}

/// Lets a task be claimed again, or cancels it, and shows the page of the form again.
pub async fn act(
    Visitor(session): Visitor,
    Path(act): Path<String>,
    Form(form): Form<Act>,
) -> Result<Response, Failure> {
    let task = Some(form.task.as_str());
    let act = match act.as_str() {
        "retry" => Some(("SELECT status FROM orchestrator.retry_task($1::uuid)", vec![task])),
        "cancel" => Some((
            "SELECT status FROM orchestrator.cancel_task($1::uuid, $2)",
            vec![task, form.notes()],
        )),
        _ => None,
    };
    let place = match filled(&form.workflow) {
        Some(id) => address("/workflows", "id", id),
        None => "/queue".to_owned(),
    };
    done(&session, &form, act, &place).await
}
