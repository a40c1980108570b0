//! The place of a test: a database with a role for workers and one for reviewers, and a folder for the
//! calls of the model.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use postgres::Client;
use support::Database;
use support::deadline::wait_until;
use support::extension::{differences, newest, walked_to};
use support::roles;
use tempfile::TempDir;

pub struct Place {
    pub database: Database,
    /// The superuser.
    pub client: Client,
    folder: TempDir,
}

impl Place {
    pub fn new(prefix: &str) -> Result<Self> {
        let database = walked_to(prefix, newest()?)?;
        roles::of_every_level(&database)?;
        let mut client = database.client()?;
        client.batch_execute("CREATE TABLE effects (task_id uuid, worker text); GRANT SELECT, INSERT ON effects TO PUBLIC")?;
        Ok(Self { database, client, folder: tempfile::tempdir()? })
    }

    /// The role of workers.
    pub fn worker(&self) -> String {
        roles::name(&self.database, "worker")
    }

    /// Connects as a reviewer.
    pub fn reviewer(&self) -> Result<Client> {
        self.database.client_as(&roles::name(&self.database, "reviewer"))
    }

    /// The file with a line for each call of a model or a tool.
    pub fn calls(&self) -> PathBuf {
        self.folder.path().join("calls")
    }

    /// The number of calls so far.
    pub fn count_calls(&self) -> usize {
        fs::read_to_string(self.calls()).map_or(0, |text| text.lines().count())
    }

    pub fn number(&mut self, sql: &str) -> Result<i64> {
        let row = self.client.query_one(sql, &[]).with_context(|| sql.to_owned())?;
        Ok(row.try_get(0)?)
    }

    /// Waits until a role is not connected, and no statement of it runs.
    pub fn until_gone(&mut self, role: &str) -> Result<()> {
        const LEFT: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = $1";
        wait_until(&format!("the end of every connection of {role}"), || {
            Ok(self.client.query_one(LEFT, &[&role])?.try_get::<_, i64>(0)? == 0)
        })
    }

    /// Fails unless nothing is wrong, and `verify()` reports nothing.
    pub fn assert_intact(&mut self) -> Result<()> {
        self.assert_nothing_wrong()?;
        assert_eq!(differences(&mut self.client)?, Vec::<String>::new(), "verify()");
        Ok(())
    }

    /// Fails if a query finds something wrong.
    pub fn assert_nothing_wrong(&mut self) -> Result<()> {
        for (what, sql) in WRONG {
            let rows = self.client.query(*sql, &[]).with_context(|| what.to_string())?;
            let found: Vec<String> =
                rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
            assert!(found.is_empty(), "{} {what}, the first: {}", found.len(), found[0]);
        }
        Ok(())
    }
}

/// Everything that must not be in a database when all work has ended.
const WRONG: &[(&str, &str)] = &[
    (
        "tasks that are not completed",
        "SELECT format('%s is %s', id, status) FROM orchestrator.tasks WHERE status <> 'completed'",
    ),
    ("queued tasks", "SELECT q::text FROM orchestrator.queued_tasks AS q"),
    (
        "open attempts",
        "SELECT a::text FROM orchestrator.task_attempts AS a WHERE ended_at IS NULL OR outcome IS NULL",
    ),
    (
        "tasks whose attempts are not numbered from 1 without gaps",
        "SELECT format('%s: %s', task_id, array_agg(attempt ORDER BY attempt)) FROM orchestrator.task_attempts \
         GROUP BY task_id HAVING min(attempt) <> 1 OR max(attempt) <> count(*)",
    ),
    (
        "tasks without exactly one completed attempt, the last",
        "SELECT t.id::text FROM orchestrator.tasks AS t WHERE array['completed'] IS DISTINCT FROM ( \
             SELECT array_agg(a.outcome) FROM orchestrator.task_attempts AS a \
             WHERE a.task_id = t.id AND (a.outcome = 'completed' OR a.attempt = (SELECT max(attempt) FROM orchestrator.task_attempts WHERE task_id = t.id)))",
    ),
    (
        "attempts that began before the one before ended",
        "SELECT format('%s, attempt %s: %s after %s', task_id, attempt, claimed_at, before) FROM ( \
             SELECT *, lag(ended_at) OVER (PARTITION BY task_id ORDER BY attempt) AS before FROM orchestrator.task_attempts) AS a \
         WHERE claimed_at < before",
    ),
    (
        "tool executions that have not ended",
        "SELECT e::text FROM orchestrator.tool_executions AS e WHERE status NOT IN ('completed', 'failed', 'timeout')",
    ),
    (
        "steps that were completed more than once",
        "SELECT format('%s of %s', step_key, task_id) FROM orchestrator.tool_executions WHERE status = 'completed' \
         GROUP BY task_id, step_key HAVING count(*) > 1",
    ),
    (
        "effects that are there twice, or of no task",
        "SELECT task_id::text FROM effects GROUP BY task_id HAVING count(*) > 1 OR task_id NOT IN (SELECT id FROM orchestrator.tasks)",
    ),
];
