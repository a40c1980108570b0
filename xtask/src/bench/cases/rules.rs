//! Questions with and without a rule, beside the last version that knew no rules.

use anyhow::Result;

use crate::address::{execute, query};
use crate::bench::case::{Case, Outcome, Target};
use crate::bench::database::{Bench, Database};
use crate::bench::measure::{in_turn, shared_out};

pub const CASE: Case = Case {
    name: "rules",
    title: "Asking and deciding under rules",
    about: "2,000 questions, one by one over one connection, each in a transaction of its own. The baseline is the same call at \
            version 0.7.3, which knows no rules. With a rule, asking also writes the terms; deciding also writes a vote with an event \
            of its own, locks and updates the terms, and counts the votes: three more rows, each with its CHECK constraints, \
            foreign keys and triggers.",
    needs: &["set_decision_rule"],
    run,
};

/// The version without rules.
const BEFORE: &str = "0.7.3";

const QUESTIONS: usize = 2_000;

/// What shall be the cost without a rule, and with one.
const AT_MOST: [f64; 2] = [1.05, 1.5];

struct Kind {
    name: &'static str,
    /// The rows that the questions are about.
    before: &'static str,
    /// Asks question `$1`.
    ask: &'static str,
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "gate",
        before: "",
        ask: "SELECT orchestrator.open_gate(gen_random_uuid(), 'agent', 'manual', 'because of ' || $1::text)",
    },
    Kind {
        name: "review",
        before: "SELECT orchestrator.start_run('thread ' || i, gen_random_uuid(), 'story') FROM generate_series(0, 1999) AS i",
        ask: "SELECT orchestrator.request_review('thread ' || $1::text, 'gate_override', 'because of ' || $1::text)",
    },
    Kind {
        name: "approval",
        before: "INSERT INTO orchestrator.tasks (id, title, task_type) SELECT md5(i::text)::uuid, 'task', 'tool' FROM generate_series(0, 1999) AS i",
        ask: "SELECT orchestrator.request_approval(md5($1::text)::uuid, 'lead', 'because of ' || $1::text)",
    },
];

const DECIDE: &str =
    "SELECT * FROM orchestrator.decide($1::text::uuid, 'approve', 'lead', 'go on')";

/// A database with everything that the questions are about.
fn prepared(bench: &Bench, kind: &Kind, version: Option<&str>, rule: bool) -> Result<Database> {
    let database = bench.empty_database()?;
    let mut client = database.connect()?;
    let version = version.map(|version| format!(" VERSION '{version}'")).unwrap_or_default();
    execute(&mut client, &format!("CREATE EXTENSION orchestrator_schema{version}"))?;
    execute(&mut client, kind.before)?;
    if rule {
        let rule = format!(
            "SELECT orchestrator.set_decision_rule('{}', approvals_needed => 1)",
            kind.name
        );
        execute(&mut client, &rule)?;
    }
    execute(&mut client, "VACUUM ANALYZE")?;
    Ok(database)
}

/// The same with every question asked. Returns their ids, too.
fn asked(
    bench: &Bench,
    kind: &Kind,
    without: &Database,
    numbers: &[String],
) -> Result<(Database, Vec<String>)> {
    let database = bench.copy_of(without)?;
    shared_out(&|| database.connect(), 1, kind.ask, numbers)?;
    let mut client = database.connect()?;
    execute(&mut client, "VACUUM ANALYZE")?;
    let ids = query(&mut client, "SELECT id::text FROM orchestrator.pending_decisions")?;
    let ids = ids.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    Ok((database, ids))
}

fn run(bench: &Bench) -> Result<Outcome> {
    let mut outcome = Outcome::against(&["0.7.3"]);
    let numbers: Vec<String> = (0..QUESTIONS).map(|number| number.to_string()).collect();
    for kind in &KINDS {
        let before = prepared(bench, kind, Some(BEFORE), false)?;
        let (asked_before, ids_before) = asked(bench, kind, &before, &numbers)?;
        for (rule, at_most) in [false, true].into_iter().zip(AT_MOST) {
            let target = Some(Target::Ratio(at_most));
            let with = if rule { "with a rule" } else { "without a rule" };
            let now = prepared(bench, kind, None, rule)?;
            let (asked_now, ids_now) = asked(bench, kind, &now, &numbers)?;
            let calls = |original: &Database, sql: &str, arguments: &[String]| {
                let database = bench.copy_of(original)?;
                shared_out(&|| database.connect(), 1, sql, arguments)
            };
            let medians = in_turn(
                bench.rounds(),
                &[&|_| calls(&now, kind.ask, &numbers), &|_| calls(&before, kind.ask, &numbers)],
            )?;
            outcome.add(&format!("asking: {}", kind.name), with.to_owned(), &medians, target);
            let medians = in_turn(
                bench.rounds(),
                &[&|_| calls(&asked_now, DECIDE, &ids_now), &|_| {
                    calls(&asked_before, DECIDE, &ids_before)
                }],
            )?;
            outcome.add(&format!("deciding: {}", kind.name), with.to_owned(), &medians, target);
        }
    }
    Ok(outcome)
}
