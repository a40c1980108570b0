//! The cost report of models.

use anyhow::Result;

use crate::address::execute;
use crate::bench::case::{self, Case, Outcome};
use crate::bench::database::{Bench, Database};
use crate::bench::measure::{in_turn, statement};
use crate::bench::plain::{Indexes, make};

pub const CASE: Case = Case {
    name: "cost-report",
    title: "Cost reports",
    about: "The view `llm_cost_by_day`, whole and for the last day of one project. The baseline is a hand-written `GROUP BY` over \
            the same tables with the same indexes, which looks up each row's price in the same history. *Rows* is the number of \
            calls, over 100 days, 50 projects and 20 models with 3 prices each; one model has no price.",
    needs: &["llm_cost_by_day", "set_price"],
    run,
};

fn run(bench: &Bench) -> Result<Outcome> {
    let mut outcome = Outcome::against(&["GROUP BY by hand"]);
    for size in bench.sizes(&[10_000, 100_000, 1_000_000]) {
        let database = prepared(bench, size)?;
        let client = database.shared()?;
        let rounds = if size < 1_000_000 { bench.rounds() } else { bench.few_rounds() };
        for (what, condition) in [
            ("every day", "true"),
            (
                "the last day of a project",
                "day = '2026-04-10' AND project_id = '00000000-0000-4000-8000-000000000007'",
            ),
        ] {
            let ours = format!("SELECT * FROM orchestrator.llm_cost_by_day WHERE {condition}");
            let by_hand = by_hand(condition);
            let medians = in_turn(
                rounds,
                &[&|_| statement(&client, &ours), &|_| statement(&client, &by_hand)],
            )?;
            outcome.add(what, case::rows(size), &medians, None);
        }
    }
    Ok(outcome)
}

fn by_hand(condition: &str) -> String {
    let condition = condition.replace("day =", "(u.\"timestamp\" AT TIME ZONE 'UTC')::date =");
    format!(
        "SELECT (u.\"timestamp\" AT TIME ZONE 'UTC')::date AS day, u.project_id, u.agent_id, u.model, count(*) AS calls, \
                sum(u.input_tokens) + sum(u.output_tokens) AS tokens, \
                sum((u.input_tokens * p.input_cost_per_million + u.output_tokens * p.output_cost_per_million) / 1000000) AS cost, \
                count(*) FILTER (WHERE p.id IS NULL) AS unpriced_calls \
         FROM plain.llm_token_usage AS u \
         LEFT JOIN LATERAL (SELECT * FROM plain.llm_pricing AS p \
                            WHERE p.model = u.model AND p.effective_date <= (u.\"timestamp\" AT TIME ZONE 'UTC')::date \
                            ORDER BY p.effective_date DESC LIMIT 1) AS p ON true \
         WHERE {condition} GROUP BY 1, 2, 3, 4"
    )
}

fn prepared(bench: &Bench, rows: u64) -> Result<Database> {
    let database = bench.database()?;
    let mut client = database.connect()?;
    make(&mut client, Indexes::All)?;
    execute(
        &mut client,
        &format!(
            "SELECT orchestrator.set_price('model ' || m, 0.4 + m * 0.1, 1.2 + m * 0.3, d) \
             FROM generate_series(1, 19) AS m, unnest(ARRAY['2025-12-01', '2026-02-01', '2026-03-15']::date[]) AS d; \
             INSERT INTO orchestrator.llm_token_usage (\"timestamp\", project_id, agent_id, model, input_tokens, output_tokens) \
             SELECT '2026-01-01 00:00:00+00'::timestamptz + i * interval '100 days' / {rows}, \
                    ('00000000-0000-4000-8000-' || lpad((i % 50)::text, 12, '0'))::uuid, 'agent ' || i % 7, 'model ' || i % 20, 27147 + i % 1000, i % 400 \
             FROM generate_series(1, {rows}) AS i; \
             INSERT INTO plain.llm_pricing SELECT * FROM orchestrator.llm_pricing; \
             INSERT INTO plain.llm_token_usage SELECT * FROM orchestrator.llm_token_usage"
        ),
    )?;
    execute(&mut client, "VACUUM ANALYZE")?;
    Ok(database)
}
