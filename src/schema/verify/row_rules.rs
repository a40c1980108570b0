//! Rules over rows that no constraint can hold, because the rows that a row depends on have no unique
//! key. The functions that write the rows keep the rules; `verify()` reports rows that were written
//! without them.

use const_format::concatcp;

use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{backend_state, statements};

/// A rule over the rows of a table.
pub struct Rule {
    /// The table whose rows break it.
    pub table: &'static str,
    /// Every table that the query reads.
    pub reads: &'static [&'static str],
    /// A column that the query reads and that is younger than its table.
    pub column: Option<&'static str>,
    pub expected: &'static str,
    /// Selects the number of rows that break it, and the id of one of them as text.
    query: Statement,
    pub hint: &'static str,
}

/// A query for whether a workflow or an approval keeps task `t` back: true, or no row. A subquery that is a value is never
/// joined, so each row is found by a key, whatever the statistics say.
pub const KEPT_BACK: &str = include_str!("kept_back.sql");

/// The condition that task `t` is over, and the tasks after it in a workflow may begin.
pub const IS_OVER: &str = "t.status IN ('completed', 'cancelled')";

/// The row of each pending task in the queue, as its task, its attempts, its run and its workflows are.
pub const QUEUED_TASKS: &str = concatcp!(
    "SELECT t.id AS task_id, left(t.task_type, 200) AS task_type, left(t.to_role, 200) AS to_role, t.priority, t.run_after, t.created_at, \
            coalesce(a.attempts, 0) AS attempts, \
            NOT EXISTS (SELECT FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = t.thread_id AND r.gate_status IN ('hold', 'kill')) \
            AND (",
    KEPT_BACK,
    ") IS NULL AS ready \
     FROM orchestrator.tasks AS t \
     LEFT JOIN (SELECT o.task_id, max(o.attempt) AS attempts FROM orchestrator.task_attempts AS o GROUP BY o.task_id) AS a ON a.task_id = t.id \
     WHERE t.status = 'pending'"
);

/// Every rule, in the order of the versions that introduced their tables.
pub static RULES: [Rule; 4] = [
    Rule {
        table: "orchestrator.collaboration_outcomes",
        reads: &["orchestrator.collaboration_outcomes", "orchestrator.collaboration_requests"],
        column: None,
        expected: "every outcome belongs to a collaboration that was requested",
        query: Statement::new(
            "SELECT count(*), min(o.id::text) FROM orchestrator.collaboration_outcomes AS o \
             WHERE NOT EXISTS (SELECT FROM orchestrator.collaboration_requests AS r \
                               WHERE r.collaboration_id = o.collaboration_id)",
        ),
        hint: "SELECT o.* FROM orchestrator.collaboration_outcomes AS o WHERE NOT EXISTS (SELECT FROM orchestrator.collaboration_requests AS r WHERE r.collaboration_id = o.collaboration_id);",
    },
    Rule {
        table: "orchestrator.task_attempts",
        reads: &["orchestrator.task_attempts", "orchestrator.tasks"],
        column: None,
        expected: "the task of every open attempt is running",
        query: Statement::new(
            "SELECT count(*), min(a.task_id::text) FROM orchestrator.task_attempts AS a JOIN orchestrator.tasks AS t ON t.id = a.task_id \
             WHERE a.ended_at IS NULL AND t.status <> 'running'",
        ),
        hint: "SELECT orchestrator.rebuild_task_queue();",
    },
    Rule {
        table: "orchestrator.workflow_tasks",
        reads: &["orchestrator.workflow_tasks", "orchestrator.tasks"],
        column: Some("orchestrator.workflow_tasks.done"),
        expected: "done is true exactly if the task is completed or cancelled",
        query: Statement::new(concatcp!(
            "SELECT count(*), min(l.task_id::text) FROM orchestrator.workflow_tasks AS l JOIN orchestrator.tasks AS t ON t.id = l.task_id \
             WHERE l.done <> (",
            IS_OVER,
            ")"
        )),
        hint: "SELECT orchestrator.rebuild_task_queue();",
    },
    // A row may be ready though its task is kept back: a pause passes by a task that is locked. Claims look again.
    Rule {
        table: "orchestrator.queued_tasks",
        reads: &[
            "orchestrator.queued_tasks",
            "orchestrator.task_attempts",
            "orchestrator.tasks",
            "orchestrator.orchestrator_runs",
            "orchestrator.workflows",
            "orchestrator.workflow_tasks",
            "orchestrator.approvals",
        ],
        column: None,
        expected: "one row for each pending task, as the task is, and ready if its run, its workflows and its approvals let it begin",
        query: Statement::new(concatcp!(
            "SELECT count(*), min(coalesce(d.task_id, q.task_id)::text) FROM (",
            QUEUED_TASKS,
            ") AS d FULL JOIN orchestrator.queued_tasks AS q ON q.task_id = d.task_id \
             WHERE (d.task_id, d.task_type, d.to_role, d.priority, d.run_after, d.created_at, d.attempts) \
                   IS DISTINCT FROM (q.task_id, q.task_type, q.to_role, q.priority, q.run_after, q.created_at, q.attempts) \
                OR (d.ready AND NOT q.ready)"
        )),
        hint: "SELECT orchestrator.rebuild_task_queue();",
    },
];

impl Rule {
    /// The rows that break the rule, in words; `None` when there is none.
    pub fn broken(&'static self) -> Result<Option<String>, Error> {
        // With few distinct values the planner expects to find a match soon. A nested loop would read
        // half of the other table for each row.
        let found = backend_state::with_setting(c"enable_nestloop", c"off", || {
            self.query.select(&[], statements::two::<i64, String>)
        })?;
        Ok(match found {
            Some((Some(rows), Some(id))) => Some(format!(
                "{}, for example {id}",
                crate::server::arguments::counted(rows, "row")
            )),
            _ => None,
        })
    }
}
