//! Steps of a task: work that is paid for, such as the call of a model, and that must not be done twice.
//! A step is a tool execution with a key of its own. A worker that begins its task again, after a crash
//! or with the next attempt, gets the recorded output of each step that is done.

use const_format::concatcp;
use pgrx::Uuid;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::runs::waiting::{self, Work};
use crate::server::error::{Error, Kind, required};
use crate::server::jsonb::Document;
use crate::server::statements::Statement;
use crate::server::{arguments, plans, rows};
use crate::tasks::tool_executions::{self, TaskOfTool};

/// The number of attempts when others begin or end the step between two statements each time.
const ATTEMPTS: usize = 100;

/// Begins a step of a task, or returns the output of the step if it is done. `finish_tool_execution` ends
/// it and stores its output. A step that failed or timed out can begin again. A running one that an
/// earlier attempt of the task has left ends as timeout first; one of the present attempt is returned
/// again.
///
/// `task_id`: the task; `step_key`: the name of the step within its task, 500 characters at most;
/// `tool_name`: the tool; `arguments`: its arguments.
/// Returns: the execution; whether the step is done, which means that it must not be done again; and the
/// output of a step that is done.
/// Errors: 22004, 22023 blank or overlong key or name, P0002 unknown task, 23505 the step began with
/// another tool or other arguments, 55000 the run of the task is on hold or was killed, and the step is
/// not done. Since 0.7.1.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::type_complexity)]
fn begin_step(
    task_id: Option<Uuid>,
    step_key: Option<&str>,
    tool_name: Option<&str>,
    arguments: default!(Option<Document>, "'{}'"),
) -> Result<
    TableIterator<
        'static,
        (name!(execution_id, Uuid), name!(done, bool), name!(output, Option<String>)),
    >,
    ErrorReport,
> {
    let task_id = required("task_id", task_id)?;
    let key = arguments::name("step_key", step_key)?;
    let tool = arguments::name("tool_name", tool_name)?;
    let arguments = arguments.unwrap_or_else(Document::empty_object);
    let begun = plans::by_index(|| {
        Step { key, tool, arguments, task: TaskOfTool::lock(task_id)? }.begin()
    })?;
    Ok(TableIterator::once(begun))
}

struct Step<'a> {
    key: &'a str,
    tool: &'a str,
    arguments: Document,
    task: TaskOfTool,
}

/// The last execution of a step.
struct Execution {
    id: Uuid,
    status: String,
    output: Option<String>,
    /// The arguments that differ.
    differences: String,
    /// Whether it began before the present attempt, or in an attempt that has ended.
    is_left: bool,
}

impl Step<'_> {
    fn begin(&self) -> Result<(Uuid, bool, Option<String>), Error> {
        for _ in 0..ATTEMPTS {
            let last = self.last()?;
            if let Some(last) = &last {
                self.compare(last)?;
                if last.status == "completed" {
                    return Ok((last.id, true, last.output.clone()));
                }
            }
            if let Some(run_id) = self.task.run_id {
                let work = Work(format!("step \"{}\" cannot begin", self.key));
                waiting::refuse_work(run_id, &work)?;
            }
            match last {
                Some(last) if last.status == "running" && last.is_left => {
                    tool_executions::time_out_one(last.id)?;
                }
                Some(last) if ["running", "pending"].contains(&last.status.as_str()) => {
                    return Ok((last.id, false, None));
                }
                _ => {}
            }
            if let Some(id) = self.task.start_step(self.key, self.tool, &self.arguments)? {
                return Ok((id, false, None));
            }
            // Another transaction began the step between the two statements.
        }
        Err(Error::no_row(format!("step \"{}\" could not begin", self.key), "tool_executions"))
    }

    fn last(&self) -> Result<Option<Execution>, Error> {
        static LAST: Statement = Statement::new(concatcp!(
            "SELECT e.id, e.status, e.output, concat_ws(', ', \
                CASE WHEN e.tool_name <> $3 THEN 'tool_name' END, CASE WHEN e.arguments <> $4 THEN 'arguments' END), \
                EXISTS (SELECT FROM orchestrator.task_attempts AS a \
                        WHERE a.task_id = e.task_id AND a.ended_at IS NULL AND a.claimed_at > e.created_at) \
                OR (EXISTS (SELECT FROM orchestrator.task_attempts AS a WHERE a.task_id = e.task_id AND a.claimed_at <= e.created_at) \
                    AND NOT EXISTS (SELECT FROM orchestrator.task_attempts AS a \
                                    WHERE a.task_id = e.task_id AND a.ended_at IS NULL AND a.claimed_at <= e.created_at)) \
             FROM orchestrator.tool_executions AS e WHERE e.task_id = $1 AND e.step_key = $2 \
             ORDER BY e.status IN ('failed', 'timeout'), e.created_at DESC, e.id DESC LIMIT 1"
        ));
        let arguments =
            [self.task.id.into(), self.key.into(), self.tool.into(), self.arguments.clone().into()];
        LAST.update(&arguments, |rows| {
            rows::first(rows, |row| {
                Ok(Execution {
                    id: rows::value(row, 1, "tool_executions.id")?,
                    status: rows::value(row, 2, "tool_executions.status")?,
                    output: rows::optional(row, 3, "tool_executions.output")?,
                    differences: rows::value(row, 4, "differences")?,
                    is_left: rows::value(row, 5, "is_left")?,
                })
            })
        })
    }

    /// Errors: 23505 the step began with other content.
    fn compare(&self, last: &Execution) -> Result<(), Error> {
        if last.differences.is_empty() {
            return Ok(());
        }
        let (key, task, differences) = (self.key, self.task.id, &last.differences);
        Err(Error::new(
            Kind::Duplicate,
            format!("step \"{key}\" of task {task} was begun with other content"),
        )
        .detail(format!("Tool execution {} has this key and differs in {differences}.", last.id))
        .hint(
            "Repeat the first call unchanged to get its output, or use a new key for a new step.",
        ))
    }
}
