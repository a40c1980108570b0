//! Recording token usage.

use anyhow::Result;

use crate::address::execute;
use crate::bench::case::{self, Case, Outcome, Target};
use crate::bench::database::{Bench, Database};
use crate::bench::measure::{in_turn, statement};
use crate::bench::plain::{Indexes, make};

pub const CASE: Case = Case {
    name: "usage",
    title: "Recording token usage",
    about: "`INSERT` into `llm_token_usage` in batches of 1 and of 1,000 rows a statement, and `record_token_usage()`. The baseline \
            is the same table with only its primary key. *Rows* is the size of both tables before. The limit is the B-trees that the \
            sources name: by agent, by model, and by project with agent, over values in no order. Each costs a quarter of the whole \
            row without them. Without deduplication, and as hash indexes, they cost more. An index by project was dropped, because \
            another one serves its queries, and a BRIN index replaced a B-tree by day.",
    needs: &["llm_token_usage", "record_token_usage"],
    run,
};

/// At least 0.8 of the rate of the table with only its primary key.
const AT_MOST: f64 = 1.0 / 0.8;
const PER_ROUND: u64 = 10_000;

fn run(bench: &Bench) -> Result<Outcome> {
    let mut outcome = Outcome::against(&["only a primary key"]);
    for size in bench.sizes(&[0, 100_000, 1_000_000]) {
        let database = prepared(bench, size)?;
        let client = database.shared()?;
        let singly = |schema: &str| {
            let insert = insert(schema, "1", "n");
            statement(
                &client,
                &format!("DO $$ BEGIN FOR n IN 1..{PER_ROUND} LOOP {insert}; END LOOP; END $$"),
            )
        };
        let by_function = || {
            statement(
                &client,
                &format!(
                    "DO $$ BEGIN FOR n IN 1..{PER_ROUND} LOOP PERFORM orchestrator.record_token_usage('model ' || n % 20, n, n % 100, \
                     '00000000-0000-4000-8000-000000000001', 'agent ' || n % 50); END LOOP; END $$"
                ),
            )
        };
        let thousands = |schema: &str| {
            let insert = insert(schema, "1000", "n");
            statement(
                &client,
                &format!(
                    "DO $$ BEGIN FOR n IN 1..{} LOOP {insert}; END LOOP; END $$",
                    PER_ROUND / 1_000
                ),
            )
        };
        let rounds = bench.rounds();
        let (ours, plain) = ("orchestrator", "plain");
        let medians = in_turn(rounds, &[&|_| thousands(ours), &|_| thousands(plain)])?;
        outcome.add(
            "1,000 rows a statement",
            case::rows(size),
            &medians,
            Some(Target::Ratio(AT_MOST)),
        );
        let medians = in_turn(rounds, &[&|_| singly(ours), &|_| singly(plain)])?;
        outcome.add("1 row a statement", case::rows(size), &medians, None);
        let medians = in_turn(rounds, &[&|_| by_function(), &|_| singly(plain)])?;
        outcome.add("record_token_usage()", case::rows(size), &medians, None);
    }
    Ok(outcome)
}

fn prepared(bench: &Bench, rows: u64) -> Result<Database> {
    let database = bench.database()?;
    let mut client = database.connect()?;
    make(&mut client, Indexes::OnlyPrimaryKey)?;
    for schema in ["orchestrator", "plain"] {
        execute(&mut client, &insert(schema, &rows.to_string(), "0"))?;
        execute(&mut client, &format!("VACUUM ANALYZE {schema}.llm_token_usage"))?;
    }
    Ok(database)
}

/// Rows of several projects, agents and models.
fn insert(schema: &str, count: &str, offset: &str) -> String {
    format!(
        "INSERT INTO {schema}.llm_token_usage (project_id, agent_id, model, input_tokens, output_tokens) \
         SELECT ('00000000-0000-4000-8000-' || lpad(((i + {offset}) % 200)::text, 12, '0'))::uuid, 'agent ' || (i + {offset}) % 50, \
                'model ' || (i + {offset}) % 20, i, i % 100 \
         FROM generate_series(1, {count}) AS i"
    )
}
