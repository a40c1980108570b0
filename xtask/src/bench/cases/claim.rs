//! Claiming knowledge that waits to be embedded.

use anyhow::Result;

use crate::address::execute;
use crate::bench::case::{self, Case, Outcome};
use crate::bench::database::{Bench, Database};
use crate::bench::measure::{in_turn, rolled_back};
use crate::bench::plain::{Indexes, make};

pub const CASE: Case = Case {
    name: "claim",
    title: "Claiming knowledge",
    about: "`claim_knowledge(50)`, alone and followed by `mark_knowledge_embedded()`. The baseline runs `FOR UPDATE SKIP LOCKED` and \
            `UPDATE` by hand, on the same table without the partial index on pending rows. *Rows* is the size of the table; half of \
            the rows are pending.",
    needs: &["claim_knowledge", "mark_knowledge_embedded"],
    run,
};

fn run(bench: &Bench) -> Result<Outcome> {
    const CLAIM: &str = "SELECT * FROM orchestrator.claim_knowledge(50)";
    const MARK: &str = "SELECT orchestrator.mark_knowledge_embedded(ARRAY(SELECT id FROM orchestrator.claim_knowledge(50)))";
    const CLAIM_BY_HAND: &str = "SELECT id, knowledge_type, content, metadata FROM plain.knowledge_staging \
         WHERE NOT embedded ORDER BY created_at, id LIMIT 50 FOR UPDATE SKIP LOCKED";
    const MARK_BY_HAND: &str = "UPDATE plain.knowledge_staging SET embedded = true, embedded_at = now() WHERE id = ANY (ARRAY( \
         SELECT id FROM plain.knowledge_staging WHERE NOT embedded ORDER BY created_at, id LIMIT 50 FOR UPDATE SKIP LOCKED))";
    let mut outcome = Outcome::against(&["SKIP LOCKED by hand"]);
    for size in bench.sizes(&[10_000, 100_000, 1_000_000]) {
        let database = prepared(bench, size)?;
        let client = database.shared()?;
        for (what, ours, by_hand) in
            [("claim 50", CLAIM, CLAIM_BY_HAND), ("claim and mark 50", MARK, MARK_BY_HAND)]
        {
            let medians = in_turn(
                bench.rounds(),
                &[&|_| rolled_back(&client, "", ours), &|_| rolled_back(&client, "", by_hand)],
            )?;
            outcome.add(what, case::rows(size), &medians, None);
        }
    }
    Ok(outcome)
}

fn prepared(bench: &Bench, rows: u64) -> Result<Database> {
    let database = bench.database()?;
    let mut client = database.connect()?;
    make(&mut client, Indexes::All)?;
    execute(
        &mut client,
        &format!(
            "DROP INDEX plain.idx_knowledge_staging_pending; \
             INSERT INTO orchestrator.knowledge_staging (knowledge_type, content, created_at, embedded, embedded_at) \
             SELECT 'failure_solution', repeat('what was learned ' || i || ' ', 10), \
                    '2026-01-01 00:00:00+00'::timestamptz + i * interval '1 second', i % 2 = 0, CASE WHEN i % 2 = 0 THEN now() END \
             FROM generate_series(1, {rows}) AS i; \
             INSERT INTO plain.knowledge_staging SELECT * FROM orchestrator.knowledge_staging"
        ),
    )?;
    execute(&mut client, "VACUUM ANALYZE")?;
    Ok(database)
}
