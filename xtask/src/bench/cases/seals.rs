//! Seals over the audit trail.

use anyhow::Result;

use crate::address::execute;
use crate::bench::case::{self, Case, Outcome, Target};
use crate::bench::database::Bench;
use crate::bench::measure::{in_turn, rolled_back, statement};

pub const CASE: Case = Case {
    name: "seals",
    title: "Sealing and verifying the audit trail",
    about: "`seal_audit_events()`, and `verify_audit_seals()` of the sealed events. The baseline reads the same events as text in the \
            order of the seals.",
    needs: &["seal_audit_events"],
    run,
};

/// No worse than one sort.
const AT_MOST: f64 = 1.0;

fn run(bench: &Bench) -> Result<Outcome> {
    const SORT: &str = "SELECT sum(length(e::text)) FROM (SELECT * FROM orchestrator.audit_events ORDER BY \"timestamp\", id OFFSET 0) AS e";
    let mut outcome = Outcome::against(&["one sort"]);
    for size in bench.sizes(&[100_000, 1_000_000]) {
        let database = bench.database()?;
        let client = database.shared()?;
        let events = format!(
            "INSERT INTO orchestrator.audit_events (event_type, role, \"timestamp\", trace_id, metadata) \
             SELECT 'task_completed', 'worker', now() - interval '20 days' + n * interval '1 second', gen_random_uuid(), \
                    jsonb_build_object('task_id', gen_random_uuid(), 'session_user', 'app', 'role', 'app', 'attempt', 1, 'worker', 'w' || n % 50) \
             FROM generate_series(1, {size}) AS n"
        );
        execute(&mut client.borrow_mut(), &events)?;
        execute(&mut client.borrow_mut(), "VACUUM ANALYZE orchestrator.audit_events")?;
        let seal = "SELECT * FROM orchestrator.seal_audit_events()";
        let medians = in_turn(
            bench.few_rounds(),
            &[&|_| rolled_back(&client, "", seal), &|_| statement(&client, SORT)],
        )?;
        outcome.add("sealing", case::rows(size), &medians, Some(Target::Ratio(AT_MOST)));
        execute(&mut client.borrow_mut(), seal)?;
        let verify = "SELECT * FROM orchestrator.verify_audit_seals()";
        let medians = in_turn(
            bench.few_rounds(),
            &[&|_| statement(&client, verify), &|_| statement(&client, SORT)],
        )?;
        outcome.add("verifying", case::rows(size), &medians, Some(Target::Ratio(AT_MOST)));
    }
    Ok(outcome)
}
