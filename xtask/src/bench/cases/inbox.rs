//! The first page of everything that waits for a human.

use anyhow::Result;

use crate::address::{execute, query};
use crate::bench::case::{self, Case, Outcome, Target};
use crate::bench::database::{Bench, Database};
use crate::bench::measure::{in_turn, statement};
use crate::bench::plain::{Indexes, make};
use crate::bench::questions;

pub const CASE: Case = Case {
    name: "inbox",
    title: "The inbox",
    about: "The first 20 rows of the view `pending_decisions`. The baseline is a `UNION ALL` by hand over the same tables without \
            partial indexes. *Rows* is the number of pending decisions, a third each of reviews, gates and approvals.",
    needs: &["pending_decisions", "gates", "approvals", "human_review_queue"],
    run,
};

const BY_HAND: &str = "
    SELECT * FROM (
        SELECT 'review' AS kind, q.id, q.reason AS asks, r.project_id, q.thread_id, q.created_at AS requested_at, now() - q.created_at AS waiting
        FROM plain.human_review_queue AS q JOIN plain.orchestrator_runs AS r USING (thread_id) WHERE q.status = 'pending'
        UNION ALL
        SELECT 'gate', g.id, g.reason, g.project_id, g.context ->> 'thread_id', g.created_at, now() - g.created_at
        FROM plain.gates AS g WHERE g.status = 'pending'
        UNION ALL
        SELECT 'approval', a.id, coalesce(nullif(a.notes, ''), t.description), NULL, NULL, a.created_at, now() - a.created_at
        FROM plain.approvals AS a JOIN plain.tasks AS t ON t.id = a.task_id WHERE a.status = 'pending'
    ) AS inbox ORDER BY requested_at, id LIMIT 20";

fn run(bench: &Bench) -> Result<Outcome> {
    const OURS: &str =
        "SELECT * FROM orchestrator.pending_decisions ORDER BY requested_at, id LIMIT 20";
    let mut outcome = Outcome::against(&["UNION ALL by hand"]);
    for size in bench.sizes(&[10_000, 100_000, 1_000_000]) {
        let database = prepared(bench, size)?;
        let client = database.shared()?;
        let medians = in_turn(
            bench.rounds(),
            &[&|_| statement(&client, OURS), &|_| statement(&client, BY_HAND)],
        )?;
        outcome.add("first page", case::rows(size), &medians, Some(Target::Growth(1.5)));
    }
    Ok(outcome)
}

fn prepared(bench: &Bench, rows: u64) -> Result<Database> {
    let database = bench.database()?;
    let mut client = database.connect()?;
    make(&mut client, Indexes::All)?;
    let partial = "SELECT indexrelid::regclass::text FROM pg_index \
                   WHERE indpred IS NOT NULL AND indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'plain'::regnamespace)";
    for row in query(&mut client, partial)? {
        execute(&mut client, &format!("DROP INDEX {}", row.try_get::<_, &str>(0)?))?;
    }
    questions::ask(&mut client, rows)?;
    for table in ["orchestrator_runs", "human_review_queue", "gates", "tasks", "approvals"] {
        execute(
            &mut client,
            &format!("INSERT INTO plain.{table} SELECT * FROM orchestrator.{table}"),
        )?;
    }
    execute(&mut client, "VACUUM ANALYZE")?;
    Ok(database)
}
