//! The start of a run: one run per thread, however many callers start it at once.

use pgrx::Uuid;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::json;

use crate::audit::{self, Event};
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::Document;
use crate::server::statements::Statement;
use crate::server::{arguments, rows, statements};

/// Starts the run of a thread, in phase planning with its gate pending, and records `run_started`.
///
/// `thread_id`: the orchestrator's name of the run, 500 characters at most; `project_id`,
/// `story_id`: the project and the story of the run. Returns: the id of the run.
/// Errors: 22004, 22023 blank or overlong thread, or blank story, 23505 the thread has a run
/// already. Since 0.5.0; replaced in 0.7.0.
#[pg_extern(sql = false, volatile)]
fn start_run(
    thread_id: Option<&str>,
    project_id: Option<Uuid>,
    story_id: Option<&str>,
) -> Result<Uuid, ErrorReport> {
    const ONCE: &str = "A thread has one run; use another thread_id for a new one.";
    Ok(start(&Start::of(thread_id, project_id, story_id)?, ONCE)?)
}

/// Starts the run of a thread, in phase planning with its gate pending, and records `run_started`.
///
/// `thread_id`: the orchestrator's name of the run, 500 characters at most; `project_id`,
/// `story_id`: the project and the story of the run. Returns: the id of the run.
/// Errors: 22004, 22023 blank or overlong thread, or blank story, 23505 the thread has a run
/// already. Since 0.7.0.
#[pg_extern(sql = false, volatile)]
fn start_run_0_7_0(
    thread_id: Option<&str>,
    project_id: Option<Uuid>,
    story_id: Option<&str>,
) -> Result<Uuid, ErrorReport> {
    const ONCE: &str = "orchestrator.ensure_run finds the run of a worker that comes back; use another thread_id for a new one.";
    Ok(start(&Start::of(thread_id, project_id, story_id)?, ONCE)?)
}

/// Starts the run of a thread, or finds the one that was started for the same project and story, so
/// that an orchestrator may begin again after a crash. Starting records `run_started`.
///
/// `thread_id`: the orchestrator's name of the run, 500 characters at most; `project_id`,
/// `story_id`: the project and the story of the run.
/// Returns: the id of the run, and whether this call started it.
/// Errors: 22004, 22023 blank or overlong thread, or blank story, 23505 the run of the thread has
/// another project or story. Since 0.7.0.
#[pg_extern(sql = false, volatile)]
fn ensure_run(
    thread_id: Option<&str>,
    project_id: Option<Uuid>,
    story_id: Option<&str>,
) -> Result<TableIterator<'static, (name!(run_id, Uuid), name!(created, bool))>, ErrorReport> {
    let start = Start::of(thread_id, project_id, story_id)?;
    if let Some(id) = start.insert()? {
        return Ok(TableIterator::once((id, true)));
    }
    match start.earlier()? {
        Some(Earlier { id, is_same: true, .. }) => Ok(TableIterator::once((id, false))),
        Some(earlier) => Err(start
            .duplicate(
                &earlier,
                "A thread has one run; use another thread_id for another project or story.",
            )
            .into()),
        None => Err(start.not_inserted().into()),
    }
}

/// The arguments of a start.
struct Start<'a> {
    thread_id: &'a str,
    project_id: Uuid,
    story_id: &'a str,
}

/// The run that a thread has already.
struct Earlier {
    id: Uuid,
    state: String,
    /// Whether its project and story are those of the start.
    is_same: bool,
}

fn start(start: &Start<'_>, hint: &str) -> Result<Uuid, Error> {
    match start.insert()? {
        Some(id) => Ok(id),
        None => Err(match start.earlier()? {
            Some(earlier) => start.duplicate(&earlier, hint),
            None => start.not_inserted(),
        }),
    }
}

impl<'a> Start<'a> {
    fn of(
        thread_id: Option<&'a str>,
        project_id: Option<Uuid>,
        story_id: Option<&'a str>,
    ) -> Result<Self, Error> {
        Ok(Start {
            thread_id: arguments::name("thread_id", thread_id)?,
            project_id: required("project_id", project_id)?,
            story_id: arguments::filled("story_id", story_id)?,
        })
    }

    /// Inserts the run and records it; `None` if the thread has one. Waits for a transaction that
    /// starts the same thread.
    fn insert(&self) -> Result<Option<Uuid>, Error> {
        static INSERT: Statement = Statement::new(
            "INSERT INTO orchestrator.orchestrator_runs (thread_id, project_id, story_id) \
             VALUES ($1, $2, $3) ON CONFLICT ON CONSTRAINT orchestrator_runs_thread_id_key DO NOTHING RETURNING id",
        );
        let arguments = [self.thread_id.into(), self.project_id.into(), self.story_id.into()];
        let Some(id) = INSERT.update(&arguments, statements::one::<Uuid>)? else {
            return Ok(None);
        };
        audit::record(Event {
            event_type: "run_started",
            role: audit::SYSTEM,
            trace_id: id,
            metadata: Document::composed(json!({
                "thread_id": self.thread_id,
                "project_id": self.project_id.to_string(),
                "story_id": self.story_id,
            })),
        })?;
        Ok(Some(id))
    }

    fn earlier(&self) -> Result<Option<Earlier>, Error> {
        static STATE: Statement = Statement::new(
            "SELECT r.id, format('It was started at %s for project %s, story %s, and is in phase %s.', \
                    r.started_at, r.project_id, r.story_id, r.phase), r.project_id = $2 AND r.story_id = $3 \
             FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = $1",
        );
        let arguments = [self.thread_id.into(), self.project_id.into(), self.story_id.into()];
        STATE.update(&arguments, |rows| {
            rows::first(rows, |row| {
                Ok(Earlier {
                    id: rows::value(row, 1, "orchestrator_runs.id")?,
                    state: rows::value(row, 2, "orchestrator_runs.phase")?,
                    is_same: rows::value(row, 3, "orchestrator_runs.project_id or story_id")?,
                })
            })
        })
    }

    fn duplicate(&self, earlier: &Earlier, hint: &str) -> Error {
        Error::new(Kind::Duplicate, format!("thread \"{}\" already has a run", self.thread_id))
            .detail(format!("Its id is {}. {}", earlier.id, earlier.state))
            .hint(hint)
    }

    fn not_inserted(&self) -> Error {
        Error::no_row(
            format!("the run of thread \"{}\" could not be started", self.thread_id),
            "orchestrator_runs",
        )
    }
}
