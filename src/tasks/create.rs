//! The creation of tasks for workers to claim: one task per idempotency key, however many callers use the
//! key at once.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::runs;
use crate::server::error::{Error, Kind};
use crate::server::jsonb::{self, Document};
use crate::server::statements::{self, Statement};
use crate::server::{arguments, repeats};
use crate::tasks::idempotency_key;

/// The content of a task.
struct Task<'a> {
    task_type: &'a str,
    title: &'a str,
    config: Document,
    thread_id: Option<&'a str>,
    priority: i16,
    run_after: Option<TimestampWithTimeZone>,
    max_attempts: i32,
    description: Option<&'a str>,
    metadata: Option<Document>,
    workspace_path: Option<&'a str>,
}

/// Creates a task for workers to claim.
///
/// `task_type`: the kind of work, 500 characters at most; `title`: the name for people; `config`: the
/// worker's instructions, a JSON object; `thread_id`: the run that it belongs to; `priority`: tasks with
/// a greater number are claimed first; `run_after`: no worker claims it before; NULL means at once;
/// `max_attempts`: the number of attempts after which a failure is final; `description`, `metadata`,
/// `workspace_path`: for the worker; `idempotency_key`: a second call with the same key and the same
/// content returns the first task. `run_after` is not compared, because callers compute it from now.
/// Returns: the task, and whether this call created it.
/// Errors: 22004, 22023 blank or overlong type, blank title, config that is not an object, or less than
/// one attempt, P0002 the thread has no run, 23505 the key was used with other content. Since 0.7.1.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::too_many_arguments)]
fn create_task(
    task_type: Option<&str>,
    title: Option<&str>,
    config: default!(Option<Document>, "'{}'"),
    thread_id: default!(Option<&str>, "NULL"),
    priority: default!(Option<i16>, "0"),
    run_after: default!(Option<TimestampWithTimeZone>, "NULL"),
    max_attempts: default!(Option<i32>, "1"),
    description: default!(Option<&str>, "NULL"),
    metadata: default!(Option<Document>, "NULL"),
    workspace_path: default!(Option<&str>, "NULL"),
    idempotency_key: default!(Option<Uuid>, "NULL"),
) -> Result<TableIterator<'static, (name!(task_id, Uuid), name!(created, bool))>, ErrorReport> {
    let task = Task {
        task_type: arguments::name("task_type", task_type)?,
        title: arguments::filled("title", title)?,
        config: jsonb::object_or_empty("config", config)?,
        thread_id,
        priority: priority.unwrap_or(0),
        run_after,
        max_attempts: at_least_one(max_attempts)?,
        description,
        metadata,
        workspace_path,
    };
    // The events of its tools belong to the trail of the run.
    let trace_id = thread_id.map(run_of).transpose()?;
    Ok(TableIterator::once(match idempotency_key {
        None => (task.insert(trace_id)?, true),
        Some(key) => task.once(key, trace_id)?,
    }))
}

fn at_least_one(max_attempts: Option<i32>) -> Result<i32, Error> {
    let max_attempts = max_attempts.unwrap_or(1);
    if max_attempts < 1 {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("max_attempts {max_attempts} is less than 1"),
        ));
    }
    Ok(max_attempts)
}

/// Locks the run of a thread against a change of its name. Returns its id.
///
/// Errors: P0002 the thread has no run.
fn run_of(thread_id: &str) -> Result<Uuid, Error> {
    static RUN: Statement = Statement::new(
        "SELECT r.id FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = $1 FOR KEY SHARE",
    );
    RUN.update(&[thread_id.into()], statements::one::<Uuid>)?
        .ok_or_else(|| runs::unknown(thread_id))
}

/// The statement that inserts a task, with its end.
macro_rules! insert {
    ($values:expr) => {
        Statement::new(concatcp!(
            "INSERT INTO orchestrator.tasks (title, task_type, config, thread_id, priority, run_after, max_attempts, description, metadata, workspace_path, trace_id, idempotency_key) \
             VALUES ($1, $2, $3, $4, $5, coalesce($6, '-infinity'), $7, $8, $9, $10, $11, ",
            $values
        ))
    };
}

impl Task<'_> {
    fn values(&self) -> Vec<pgrx::datum::DatumWithOid<'_>> {
        vec![
            self.title.into(),
            self.task_type.into(),
            self.config.clone().into(),
            self.thread_id.into(),
            self.priority.into(),
            self.run_after.into(),
            self.max_attempts.into(),
            self.description.into(),
            self.metadata.clone().into(),
            self.workspace_path.into(),
        ]
    }

    fn insert(&self, trace_id: Option<Uuid>) -> Result<Uuid, Error> {
        static INSERT: Statement = insert!("NULL) RETURNING id");
        let mut values = self.values();
        values.push(trace_id.into());
        INSERT
            .update(&values, statements::one::<Uuid>)?
            .ok_or_else(|| Error::no_row("the task could not be created", "tasks"))
    }

    /// Inserts the task, or finds the task that has its key already.
    fn once(&self, key: Uuid, trace_id: Option<Uuid>) -> Result<(Uuid, bool), Error> {
        static INSERT: Statement =
            insert!("$12) ON CONFLICT (idempotency_key) DO NOTHING RETURNING id");
        let mut values = self.values();
        values.extend([trace_id.into(), key.into()]);
        let insert = || INSERT.update(&values, statements::one::<Uuid>);
        idempotency_key::once("the task could not be created", insert, || self.first(key))
    }

    /// The task that has the key. Errors: 23505 its content differs.
    fn first(&self, key: Uuid) -> Result<Option<Uuid>, Error> {
        static FIRST: Statement = Statement::new(include_str!("first_task.sql"));
        let mut values = self.values();
        values.remove(5);
        values.push(key.into());
        repeats::first(&FIRST, &values, |task_id, names| {
            idempotency_key::used_for_another(key, task_id, names)
        })
    }
}
