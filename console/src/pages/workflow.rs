//! A workflow: its state, and its tasks as a graph and as a table.

use askama::Template;
use axum::Form;
use axum::extract::Path;
use axum::response::Response;

use super::graph::{Graph, Step};
use super::{Frame, done, queue, rendered};
use crate::addresses::address;
use crate::app::Visitor;
use crate::database::{Database, number, optional, text};
use crate::failure::Failure;
use crate::forms::Act;
use crate::sessions::Visit;

struct Workflow {
    id: String,
    name: String,
    status: String,
    tasks: i64,
    done: i64,
    pending: i64,
    running: i64,
    completed: i64,
    failed: i64,
    cancelled: i64,
    sequence: Option<String>,
    started: Option<String>,
    changed: String,
    description: Option<String>,
    definition: Option<String>,
}

struct Task {
    id: String,
    step: Step,
    task_type: String,
    thread: Option<String>,
    worker: String,
    changed: String,
    error: String,
}

/// The acts of the page. The failed tasks, which stop the workflow, have those of the queue.
struct Rights {
    start: bool,
    pause: bool,
    task: queue::Rights,
}

impl Rights {
    async fn of(database: &Database) -> Result<Rights, Failure> {
        let [start, pause] = database.may(["start_workflow", "pause_workflow"]).await?;
        Ok(Rights { start, pause, task: queue::Rights::of(database).await? })
    }
}

#[derive(Template)]
#[template(path = "workflow.html")]
struct Page<'a> {
    frame: Frame<'a>,
    workflow: Workflow,
    graph: Graph<'a>,
    tasks: &'a [Task],
    may: Rights,
}

pub async fn page(session: &Visit, id: &str) -> Result<Response, Failure> {
    const WORKFLOW: &str = include_str!("workflow.sql");
    const TASKS: &str = include_str!("workflow_tasks.sql");
    let database = &session.database;
    let row = database.row(WORKFLOW, &[Some(id)]).await?;
    let row = row.ok_or_else(|| Failure::NotFound(format!("Workflow {id} does not exist.")))?;
    let workflow = Workflow {
        id: id.to_owned(),
        name: text(&row, "name"),
        status: text(&row, "status"),
        tasks: number(&row, "tasks"),
        done: number(&row, "done"),
        pending: number(&row, "pending"),
        running: number(&row, "running"),
        completed: number(&row, "completed"),
        failed: number(&row, "failed"),
        cancelled: number(&row, "cancelled"),
        sequence: optional(&row, "sequence"),
        started: optional(&row, "started"),
        changed: text(&row, "changed"),
        description: optional(&row, "description"),
        definition: optional(&row, "definition"),
    };
    let tasks = database
        .lines(TASKS, &[Some(id)], |row| Task {
            id: text(row, "id"),
            step: Step {
                sequence: text(row, "sequence"),
                title: text(row, "title"),
                status: text(row, "status"),
                state: text(row, "state"),
            },
            task_type: text(row, "task_type"),
            thread: optional(row, "thread_id"),
            worker: text(row, "worker"),
            changed: text(row, "changed"),
            error: text(row, "error"),
        })
        .await?;
    let graph = Graph::of(tasks.iter().map(|task| &task.step));
    let may = Rights::of(database).await?;
    rendered(&Page { frame: Frame::of(session, "/workflows"), workflow, graph, tasks: &tasks, may })
}

/// Starts or pauses a workflow.
pub async fn act(
    Visitor(session): Visitor,
    Path(act): Path<String>,
    Form(form): Form<Act>,
) -> Result<Response, Failure> {
    let id = Some(form.workflow.as_str());
    let act = match act.as_str() {
        "start" => Some(("SELECT status FROM orchestrator.start_workflow($1::uuid)", vec![id])),
        "pause" => Some((
            "SELECT status FROM orchestrator.pause_workflow($1::uuid, $2)",
            vec![id, form.notes()],
        )),
        _ => None,
    };
    done(&session, &form, act, &address("/workflows", "id", &form.workflow)).await
}
