//! Resolving gates and reviews, one by one and many at once.

use anyhow::Result;

use crate::address::{execute, query};
use crate::bench::case::{self, Case, Outcome, Target};
use crate::bench::database::{Bench, Database};
use crate::bench::measure::{in_turn, shared_out};
use crate::bench::plain::{Indexes, make};

pub const GATES: Case = Case {
    name: "gates",
    title: "Resolving gates",
    about: "`resolve_gate()`. Each call is a prepared statement and a transaction of its own; the connections share 2,000 calls. The \
            baseline is a PL/pgSQL function with the same rules, which also stages the lesson, records the event and sends the \
            notification. Less than a twentieth of the instructions are the extension's. The server executes the others in three \
            statements, which the baseline has too; a third of them are for the CHECK constraints of the tables, which the server \
            reads again for each statement.",
    needs: &["resolve_gate", "stage_knowledge"],
    run: |bench| singly(bench, &GATE),
};

pub const REVIEWS: Case = Case {
    name: "reviews",
    title: "Resolving reviews",
    about: "`resolve_review()`. Each call is a prepared statement and a transaction of its own; the connections share 2,000 calls. \
            The baseline is a PL/pgSQL function with the same rules: review, run, audit event and notification together. Every run \
            has one review.",
    needs: &["resolve_review"],
    run: |bench| singly(bench, &REVIEW),
};

pub const BULK: Case = Case {
    name: "bulk-resolution",
    title: "Resolving many reviews by one decision",
    about: "`resolve_reviews()` for 2,000 reviews, in one call or in one call for each connection. The baselines are the same as a \
            loop in PL/pgSQL, and calls of `resolve_review()` row by row.",
    needs: &["resolve_review", "resolve_reviews"],
    run: bulk,
};

/// Resolving shall take no longer than in PL/pgSQL.
const AT_MOST: f64 = 1.0;

/// A kind of decision: pending rows, and the call that decides about `$1`.
struct Kind {
    baseline: &'static str,
    /// Inserts the pending rows into the extension's tables.
    rows: &'static str,
    tables: &'static [&'static str],
    queue: &'static str,
    call: &'static str,
}

const GATE: Kind = Kind {
    baseline: include_str!("../baselines/gates.sql"),
    rows: "INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason, context) \
           SELECT gen_random_uuid(), 'agent ' || i % 50, 'high_risk', 'because of ' || i, '{\"technology\": \"rust\", \"attempt\": 3}' \
           FROM generate_series(1, 2000) AS i",
    tables: &["gates", "knowledge_staging", "audit_events"],
    queue: "gates",
    call: "resolve_gate($1::text::uuid, 'approved', 'ada', 'go on')",
};

const REVIEW: Kind = Kind {
    baseline: include_str!("../baselines/reviews.sql"),
    rows: "INSERT INTO orchestrator.orchestrator_runs (thread_id, project_id, story_id, phase, gate_status, requires_human_review) \
           SELECT 'thread ' || i, gen_random_uuid(), 'story ' || i, 'development', 'hold', true FROM generate_series(1, 2000) AS i; \
           INSERT INTO orchestrator.human_review_queue (thread_id, review_type, reason, safety_score) \
           SELECT 'thread ' || i, 'safety', 'because of ' || i, 0.5 FROM generate_series(1, 2000) AS i",
    tables: &["orchestrator_runs", "human_review_queue", "audit_events"],
    queue: "human_review_queue",
    call: "resolve_review($1::text::uuid, 'approved', 'ada', 'go on')",
};

fn singly(bench: &Bench, kind: &Kind) -> Result<Outcome> {
    let (original, ids) = prepared(bench, kind)?;
    let mut outcome = Outcome::against(&["PL/pgSQL"]);
    for connections in [1, 2, 8] {
        let calls = |schema: &str| {
            let database = bench.copy_of(&original)?;
            let sql = format!("SELECT {schema}.{}", kind.call);
            shared_out(&|| database.connect(), connections, &sql, &ids)
        };
        let medians = in_turn(bench.rounds(), &[&|_| calls("orchestrator"), &|_| calls("plain")])?;
        outcome.add(
            "one by one",
            case::connections(connections),
            &medians,
            Some(Target::Ratio(AT_MOST)),
        );
    }
    Ok(outcome)
}

fn bulk(bench: &Bench) -> Result<Outcome> {
    const MANY: &str = "resolve_reviews($1::text::uuid[], decision => 'approved', resolved_by => 'ada', notes => 'go on')";
    let (original, ids) = prepared(bench, &REVIEW)?;
    let mut outcome = Outcome::against(&["PL/pgSQL", "row by row"]);
    for connections in [1, 2, 8] {
        let lists: Vec<String> = (0..connections)
            .map(|number| {
                let own = ids.iter().skip(number).step_by(connections).map(String::as_str);
                format!("{{{}}}", own.collect::<Vec<_>>().join(","))
            })
            .collect();
        let run = |sql: &str, arguments: &[String]| {
            let database = bench.copy_of(&original)?;
            shared_out(&|| database.connect(), connections, sql, arguments)
        };
        let many = |schema: &str| run(&format!("SELECT count(*) FROM {schema}.{MANY}"), &lists);
        let row_by_row = || run(&format!("SELECT orchestrator.{}", REVIEW.call), &ids);
        let medians = in_turn(
            bench.rounds(),
            &[&|_| many("orchestrator"), &|_| many("plain"), &|_| row_by_row()],
        )?;
        outcome.add(
            "many at once",
            case::connections(connections),
            &medians,
            Some(Target::Ratio(AT_MOST)),
        );
    }
    Ok(outcome)
}

/// A database with pending decisions, the same in the extension's tables and in the copies. Returns
/// their ids, too.
fn prepared(bench: &Bench, kind: &Kind) -> Result<(Database, Vec<String>)> {
    let database = bench.database()?;
    let mut client = database.connect()?;
    make(&mut client, Indexes::All)?;
    execute(&mut client, kind.baseline)?;
    execute(&mut client, kind.rows)?;
    for table in kind.tables {
        execute(
            &mut client,
            &format!("INSERT INTO plain.{table} SELECT * FROM orchestrator.{table}"),
        )?;
    }
    execute(&mut client, "VACUUM ANALYZE")?;
    let ids = query(&mut client, &format!("SELECT id::text FROM orchestrator.{}", kind.queue))?;
    let ids = ids.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    Ok((database, ids))
}
