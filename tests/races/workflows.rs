//! Workflows with many connections at once: the next tasks begin once, and none of them waits for ever.

use anyhow::Result;
use postgres::error::SqlState;
use postgres::{Client, Error};
use support::Database;
use support::extension::{newest, walked_to};

use crate::claims::assert_whole;
use crate::meeting::{LEVELS, all, meet, text};
use crate::{CONNECTIONS, at_once, must_try_again};

const PROJECT: &str = "0198c5a0-0000-7000-8000-000000000001";

fn database(name: &str) -> Result<(Database, Client)> {
    let database = walked_to(name, newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(&format!("SELECT orchestrator.start_run('t', '{PROJECT}', 'S')"))?;
    Ok((database, client))
}

/// Removes every task and workflow, and adds active workflows with tasks: a list of workflow, task and sequence.
fn begin(client: &mut Client, links: &str) -> Result<()> {
    Ok(client.batch_execute(&format!(
        "DELETE FROM orchestrator.tasks; DELETE FROM orchestrator.workflows; \
         CREATE TEMP TABLE IF NOT EXISTS given (workflow text, task text, sequence integer); TRUNCATE given; \
         INSERT INTO given VALUES {links}; \
         INSERT INTO orchestrator.workflows (name, definition, status) SELECT DISTINCT workflow, '{{}}'::jsonb, 'active' FROM given; \
         INSERT INTO orchestrator.tasks (title, task_type) SELECT DISTINCT task, 'x' FROM given; \
         INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence) \
         SELECT w.id, t.id, g.sequence FROM given AS g JOIN orchestrator.workflows AS w ON w.name = g.workflow JOIN orchestrator.tasks AS t ON t.title = g.task"
    ))?)
}

/// A call that completes a task which worker `w` holds.
fn complete(title: &str) -> String {
    format!(
        "SELECT (orchestrator.complete_task(t.id, 'w')).status FROM orchestrator.tasks AS t WHERE t.title = '{title}'"
    )
}

/// The titles of the tasks that can be claimed.
fn claim(client: &mut Client) -> Result<String> {
    text(
        client,
        "SELECT coalesce(string_agg(title, ' ' ORDER BY title), '') FROM orchestrator.claim_tasks('w', batch => 99)",
    )
}

#[test]
fn the_last_tasks_of_a_group_that_end_at_once_let_the_next_ones_begin() -> Result<()> {
    let (database, mut client) = database("group")?;
    for level in LEVELS {
        for round in 0..15 {
            begin(&mut client, "('f', 'a', 0), ('f', 'b', 0), ('f', 'c', 0), ('f', 'd', 1)")?;
            assert_eq!(claim(&mut client)?, "a b c");
            let cancel = "SELECT (orchestrator.cancel_task(id, 'x')).status FROM orchestrator.tasks WHERE title = 'c'";
            let calls = [complete("a"), complete("b"), cancel.to_owned()];
            all(meet(&database, level, &calls)?)?;
            assert_eq!(claim(&mut client)?, "d", "{level}, round {round}");
        }
    }
    assert_whole(&mut client)
}

/// Two links of a task are removed at once; each keeps it back.
#[test]
fn a_task_whose_links_are_removed_at_once_begins() -> Result<()> {
    let (database, mut client) = database("links")?;
    for level in LEVELS {
        for round in 0..15 {
            begin(&mut client, "('f', 'a', 0), ('f', 'c', 1), ('g', 'a', 0), ('g', 'c', 1)")?;
            let remove = |flow: &str| {
                format!(
                    "DELETE FROM orchestrator.workflow_tasks AS l USING orchestrator.workflows AS w, orchestrator.tasks AS t \
                     WHERE w.id = l.workflow_id AND w.name = '{flow}' AND t.id = l.task_id AND t.title = 'c' RETURNING 'removed'"
                )
            };
            all(meet(&database, level, &[remove("f"), remove("g")])?)?;
            assert_eq!(claim(&mut client)?, "a c", "{level}, round {round}");
        }
    }
    assert_whole(&mut client)
}

#[test]
fn a_task_of_two_workflows_begins_when_both_let_it() -> Result<()> {
    let (database, mut client) = database("two")?;
    for level in LEVELS {
        for round in 0..15 {
            begin(&mut client, "('f', 'a', 0), ('g', 'b', 0), ('f', 'c', 1), ('g', 'c', 1)")?;
            client.batch_execute(
                "UPDATE orchestrator.workflows SET status = 'paused' WHERE name = 'g'",
            )?;
            assert_eq!(claim(&mut client)?, "a");
            let start = "SELECT (orchestrator.start_workflow(id)).status FROM orchestrator.workflows WHERE name = 'g'";
            let cancel = "SELECT (orchestrator.cancel_task(id, 'x')).status FROM orchestrator.tasks WHERE title = 'b'";
            let calls = [complete("a"), start.to_owned(), cancel.to_owned()];
            all(meet(&database, level, &calls)?)?;
            assert_eq!(claim(&mut client)?, "c", "{level}, round {round}");
        }
    }
    assert_whole(&mut client)
}

/// A link that is added while its task ends either sees the end, or is seen by it.
#[test]
fn a_link_that_meets_the_end_of_its_task_keeps_nothing_back() -> Result<()> {
    let (database, mut client) = database("link")?;
    for level in LEVELS {
        for round in 0..15 {
            begin(&mut client, "('f', 'a', 0), ('g', 'b', 3)")?;
            assert_eq!(claim(&mut client)?, "a b");
            client.batch_execute(
                "SELECT orchestrator.release_task(id, 'w') FROM orchestrator.tasks WHERE title = 'b'",
            )?;
            let link = "INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id) SELECT w.id, t.id \
                        FROM orchestrator.workflows AS w, orchestrator.tasks AS t WHERE w.name = 'g' AND t.title = 'a' RETURNING 'linked'";
            all(meet(&database, level, &[complete("a"), link.to_owned()])?)?;
            assert_eq!(claim(&mut client)?, "b", "{level}, round {round}");
        }
    }
    assert_whole(&mut client)
}

/// A task that a workflow and its run keep back begins when both let it, in whatever order.
#[test]
fn a_resumption_that_meets_the_end_of_a_group_forgets_no_task() -> Result<()> {
    let (database, mut client) = database("resumed")?;
    for level in LEVELS {
        for round in 0..15 {
            begin(&mut client, "('f', 'a', 0), ('f', 'b', 1), ('f', 'c', 1)")?;
            client.batch_execute(
                "UPDATE orchestrator.tasks SET thread_id = 't' WHERE title = 'b'; SELECT orchestrator.pause_run('t', 'x')",
            )?;
            assert_eq!(claim(&mut client)?, "a");
            let resume = "SELECT (orchestrator.resume_run('t')).gate_status";
            all(meet(&database, level, &[complete("a"), resume.to_owned()])?)?;
            assert_eq!(claim(&mut client)?, "b c", "{level}, round {round}");
        }
    }
    assert_whole(&mut client)
}

/// A task that is tried again while its workflow is started is not forgotten.
#[test]
fn a_retry_that_meets_a_start_can_be_claimed() -> Result<()> {
    let (database, mut client) = database("retried")?;
    for level in LEVELS {
        for round in 0..15 {
            begin(&mut client, "('f', 'a', 0)")?;
            claim(&mut client)?;
            client.batch_execute(
                "SELECT orchestrator.pause_workflow(id, 'x') FROM orchestrator.workflows; \
                 SELECT orchestrator.fail_task(id, 'w', 'x') FROM orchestrator.tasks",
            )?;
            let calls = [
                "SELECT (orchestrator.retry_task(id)).status FROM orchestrator.tasks",
                "SELECT (orchestrator.start_workflow(id)).status FROM orchestrator.workflows",
            ];
            all(meet(&database, level, &calls.map(str::to_owned))?)?;
            assert_eq!(claim(&mut client)?, "a", "{level}, round {round}");
        }
    }
    assert_whole(&mut client)
}

#[test]
fn a_completion_with_an_older_snapshot_forgets_no_task() -> Result<()> {
    let (database, mut client) = database("older")?;
    let links = "('f', 'a', 0), ('f', 'b', 0), ('f', 'c', 1)";
    begin(&mut client, links)?;
    claim(&mut client)?;
    must_try_again(&database, &complete("a"), &complete("b"))?;
    client.batch_execute(&complete("b"))?;
    assert_eq!(claim(&mut client)?, "c");
    // The link of a task that ends was added after the snapshot.
    begin(&mut client, links)?;
    claim(&mut client)?;
    let link = "INSERT INTO orchestrator.workflows (name, definition, status) VALUES ('g', '{}', 'active'); \
                INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id) SELECT w.id, t.id \
                FROM orchestrator.workflows AS w, orchestrator.tasks AS t WHERE w.name = 'g' AND t.title = 'a'";
    must_try_again(&database, link, &complete("a"))?;
    client.batch_execute(&complete("a"))?;
    assert_whole(&mut client)
}

/// A pause and its end in one transaction: nobody else sees the mark between. The reason that keeps the task back
/// besides may end at the same moment.
#[test]
fn a_pause_that_ends_in_its_own_transaction_forgets_no_task() -> Result<()> {
    let (database, mut client) = database("to_and_fro")?;
    let flow =
        |call: &str| format!("orchestrator.{call} FROM orchestrator.workflows WHERE name = 'g'");
    let to_and_fro = [
        "SELECT orchestrator.pause_run('t', 'x'); SELECT orchestrator.resume_run('t')".to_owned(),
        format!(
            "SELECT {}; SELECT {}",
            flow("pause_workflow(id, 'x')"),
            flow("start_workflow(id)")
        ),
    ];
    for change in to_and_fro {
        begin(&mut client, "('f', 'a', 0), ('f', 'b', 1), ('g', 'b', 1)")?;
        assert_eq!(claim(&mut client)?, "a");
        // The entry says that b can be claimed, as after a pause that has skipped it.
        client.batch_execute(
            "UPDATE orchestrator.tasks SET thread_id = 't' WHERE title = 'b'; UPDATE orchestrator.queued_tasks SET ready = true",
        )?;
        let mut other = database.client()?;
        other.batch_execute(&format!("BEGIN; {change}"))?;
        client.batch_execute(&complete("a"))?;
        other.batch_execute("COMMIT")?;
        assert_eq!(claim(&mut client)?, "b", "{change}");
    }
    assert_whole(&mut client)
}

/// A pause does not wait for a task that is locked. Its entry stays as it was, and no claim takes it.
#[test]
fn a_pause_that_skips_a_locked_task_is_made_good_by_maintenance() -> Result<()> {
    let (database, mut client) = database("skipped")?;
    begin(&mut client, "('f', 'a', 0), ('f', 'b', 0)")?;
    let mut other = database.client()?;
    other.batch_execute("BEGIN; UPDATE orchestrator.tasks SET title = 'a' WHERE title = 'a'")?;
    client
        .batch_execute("SELECT orchestrator.pause_workflow(id, 'x') FROM orchestrator.workflows")?;
    assert_eq!(claim(&mut client)?, "");
    other.batch_execute("COMMIT")?;
    const READY: &str = "SELECT count(*)::text FROM orchestrator.queued_tasks WHERE ready";
    assert_eq!(text(&mut client, READY)?, "1");
    assert_eq!(claim(&mut client)?, "");
    client.batch_execute("SELECT orchestrator.reclaim_expired_tasks()")?;
    assert_eq!(text(&mut client, READY)?, "0");
    assert_whole(&mut client)?;
    client.batch_execute("SELECT orchestrator.start_workflow(id) FROM orchestrator.workflows")?;
    assert_eq!(claim(&mut client)?, "a b");
    assert_whole(&mut client)
}

/// Tasks of eight workflows end, fail and wait again while their links and workflows change: whatever the order,
/// the queue is right afterwards, and everything can be done.
#[test]
fn everything_at_once_leaves_every_task_its_turn() -> Result<()> {
    let (database, mut client) = database("everything_in_order")?;
    let links: Vec<_> = (0..240)
        .map(|n| {
            format!(
                "('f{}', 't{n:03}', {}), ('f{}', 't{n:03}', {})",
                n % 8,
                n / 24,
                (n / 8) % 8,
                n / 48
            )
        })
        .collect();
    // A workflow has a task once.
    let links: Vec<_> = links.iter().filter(|link| !is_twice(link)).cloned().collect();
    begin(&mut client, &links.join(", "))?;
    client.batch_execute("UPDATE orchestrator.tasks SET thread_id = 't' WHERE title LIKE '%5'")?;
    let outcomes = at_once(&database, |number, client| {
        let worker = format!("w{number}");
        let flow =
            format!("(SELECT id FROM orchestrator.workflows WHERE name = 'f{}')", number % 8);
        let mut again = 0;
        for round in 0..40 {
            let call = match (number + round) % 9 {
                0 | 1 => format!(
                    "SELECT orchestrator.complete_task(id, '{worker}') FROM orchestrator.claim_tasks('{worker}')"
                ),
                2 => format!(
                    "SELECT orchestrator.complete_tasks(ARRAY(SELECT id FROM orchestrator.claim_tasks('{worker}', batch => 4)), '{worker}')"
                ),
                3 => format!(
                    "SELECT orchestrator.retry_task((orchestrator.fail_task(id, '{worker}', 'x', final => true)).id) FROM orchestrator.claim_tasks('{worker}')"
                ),
                4 if round % 2 == 0 => format!("SELECT orchestrator.pause_workflow({flow}, 'x')"),
                4 => format!("SELECT orchestrator.start_workflow({flow})"),
                5 => format!(
                    "UPDATE orchestrator.workflow_tasks SET sequence = {round} WHERE workflow_id = {flow} \
                     AND task_id = (SELECT task_id FROM orchestrator.queued_tasks ORDER BY task_id OFFSET {number} LIMIT 1)"
                ),
                6 => format!(
                    "DELETE FROM orchestrator.workflow_tasks WHERE workflow_id = {flow} AND sequence = {round}"
                ),
                7 => "SELECT orchestrator.pause_run('t', 'x'); SELECT orchestrator.resume_run('t')"
                    .to_owned(),
                _ => format!(
                    "WITH t AS (INSERT INTO orchestrator.tasks (title, task_type, thread_id) VALUES ('new', 'x', 't') RETURNING id) \
                     INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id, sequence) SELECT {flow}, t.id, {round} FROM t"
                ),
            };
            // Statements that change several links lock them in any order. One of two that wait for each other is
            // made again.
            loop {
                match client.batch_execute(&call) {
                    Err(error) if error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) => {
                        again += 1;
                    }
                    outcome => break outcome?,
                }
            }
        }
        Ok(again)
    })?;
    let again: usize = outcomes.into_iter().sum::<Result<usize, Error>>()?;
    println!("{again} calls were made again");
    assert!(again < CONNECTIONS, "deadlocks are rare");
    client.batch_execute(
        "SELECT orchestrator.start_workflow(id) FROM orchestrator.workflows; \
         SELECT orchestrator.resume_run('t') FROM orchestrator.orchestrator_runs WHERE gate_status = 'hold'",
    )?;
    // Two workflows that order two tasks differently keep both back for ever.
    client.batch_execute(
        "DELETE FROM orchestrator.workflow_tasks AS l WHERE EXISTS ( \
             SELECT FROM orchestrator.workflow_tasks AS o WHERE o.task_id = l.task_id AND o.workflow_id < l.workflow_id)",
    )?;
    while !claim(&mut client)?.is_empty() {
        client.batch_execute(
            "SELECT orchestrator.complete_task(task_id, worker) FROM orchestrator.task_attempts WHERE ended_at IS NULL",
        )?;
    }
    const LEFT: &str =
        "SELECT count(*)::text FROM orchestrator.tasks WHERE status IN ('pending', 'running')";
    assert_eq!(text(&mut client, LEFT)?, "0");
    assert_whole(&mut client)
}

/// Whether both links of a line are of the same workflow.
fn is_twice(links: &str) -> bool {
    let mut flows = links.split("('").skip(1).filter_map(|link| link.split('\'').next());
    flows.next() == flows.next()
}
