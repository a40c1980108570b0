//! The work of a call about a few tasks does not grow with the tasks that wait beside them. A backend keeps the plans of
//! its first calls, made while the tables are empty, when an index over the status promises nothing to read.

use anyhow::{Context, Result};
use postgres::Client;
use support::extension::{newest, walked_to};
use support::work;
use xtask::address::execute;

/// Five tasks of a run.
const FEW: &str = "SELECT FROM orchestrator.start_run('<few>', orchestrator.uuidv7(), 's'); \
    INSERT INTO orchestrator.tasks (title, task_type, thread_id) SELECT 't', '<few>', '<few>' FROM generate_series(1, 5); \
    INSERT INTO orchestrator.workflows (name, definition) VALUES ('<few>', '{}')";

/// Tasks of another run, and questions about them.
const MANY: &str = "SELECT FROM orchestrator.start_run('many', orchestrator.uuidv7(), 's'); \
    INSERT INTO orchestrator.tasks (title, task_type, thread_id) SELECT 't', 'many', 'many' FROM generate_series(1, 5000); \
    INSERT INTO orchestrator.approvals (task_id, approver_role) \
        SELECT t.id, 'boss' FROM orchestrator.tasks AS t WHERE t.thread_id = 'many'";

/// Calls about the few tasks.
const CALLS: [&str; 10] = [
    "INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence) \
         SELECT w.id, t.id, 1 FROM orchestrator.workflows AS w, orchestrator.tasks AS t WHERE w.name = '<few>' AND t.thread_id = '<few>'",
    "UPDATE orchestrator.workflows SET status = 'active' WHERE name = '<few>'",
    "SELECT orchestrator.pause_run('<few>', 'why')",
    "SELECT orchestrator.resume_run('<few>')",
    "UPDATE orchestrator.workflows SET status = 'paused' WHERE name = '<few>'",
    "UPDATE orchestrator.workflows SET status = 'active' WHERE name = '<few>'",
    "SELECT orchestrator.request_approval(t.id, 'boss') FROM orchestrator.tasks AS t WHERE t.thread_id = '<few>' LIMIT 2",
    "SELECT orchestrator.cancel_task(t.id, 'why') FROM orchestrator.tasks AS t WHERE t.thread_id = '<few>' LIMIT 1",
    "SELECT FROM orchestrator.claim_tasks('w', ARRAY['<few>'], batch => 2)",
    "SELECT orchestrator.fail_task(t.id, 'w', 'why') FROM orchestrator.tasks AS t WHERE t.thread_id = '<few>' AND t.status || '' = 'running' LIMIT 1",
];

/// Runs a statement. The work of its AFTER triggers is part of the function's, and no part of the statement's own plan.
const RUN: &str = "CREATE OR REPLACE FUNCTION pg_temp.run(sql text) RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE sql; END'";

/// The blocks that each call reads.
fn blocks(client: &mut Client, few: &str) -> Result<Vec<u64>> {
    execute(client, RUN)?;
    execute(client, &FEW.replace("<few>", few))?;
    let of = |call: &&str| {
        let call = call.replace("<few>", few);
        let call = format!("SELECT pg_temp.run($call${call}$call$)");
        Ok(work::of(client, &call).with_context(|| call.clone())?.blocks)
    };
    CALLS.iter().map(of).collect()
}

/// The calls that read more beside many tasks than alone.
fn grown(client: &mut Client, few: &str, alone: &[u64]) -> Result<Vec<String>> {
    let beside = blocks(client, few)?;
    println!("{alone:?} {beside:?}");
    let calls = CALLS.iter().zip(alone.iter().zip(&beside));
    let grown = calls.filter(|(_, (alone, beside))| **beside > 2 * **alone + 100);
    Ok(grown
        .map(|(call, (alone, beside))| format!("{few}: {alone} blocks, then {beside}: {call}"))
        .collect())
}

#[test]
fn a_call_about_few_tasks_reads_none_of_the_many_that_wait() -> Result<()> {
    let database = walked_to("beside", newest()?)?;
    let mut client = database.client()?;
    // The first calls plan, which reads the catalog.
    blocks(&mut client, "first")?;
    let alone = blocks(&mut client, "alone")?;
    execute(&mut client, MANY)?;
    let mut found = grown(&mut client, "planned while empty", &alone)?;
    // Without statistics, the server expects that a status has few rows.
    let mut other = database.client()?;
    blocks(&mut other, "second")?;
    found.extend(grown(&mut other, "planned without statistics", &alone)?);
    assert!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}
