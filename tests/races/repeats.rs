//! Calls that an agent repeats, with many connections at once: one run, one question and one count each.

use anyhow::Result;
use postgres::Client;
use postgres::error::SqlState;
use support::Database;
use support::extension::{newest, walked_to};
use xtask::checks::cases;

use crate::meeting::{LEVELS, all, meet, text};
use crate::run_calls::{PROJECT, ask, start};

/// The number of callers at once.
const CALLERS: usize = 8;

/// How often the calls of a test meet at each level.
fn rounds() -> usize {
    cases::number(12, 4)
}

/// A database with a run in thread t and a task of it.
fn with_task(name: &str) -> Result<(Database, Client)> {
    let database = walked_to(name, newest()?)?;
    let mut client = database.client()?;
    start(&mut client, "t")?;
    Ok((database, client))
}

/// The call with a key.
fn with_key(call: &str, key: &str) -> String {
    call.replacen(")::text", &format!(", request_key => '{key}')::text"), 1)
}

#[test]
fn a_thread_ensured_by_many_gets_one_run() -> Result<()> {
    let database = walked_to("ensured", newest()?)?;
    let mut client = database.client()?;
    for level in LEVELS {
        for round in 0..rounds() {
            let call = format!(
                "SELECT run_id || ' ' || created FROM orchestrator.ensure_run('{level} {round}', '{PROJECT}', 'S')"
            );
            let found = all(meet(&database, level, &vec![call; CALLERS])?)?;
            let (started, rest): (Vec<_>, Vec<_>) =
                found.iter().partition(|run| run.ends_with(" true"));
            assert_eq!(started.len(), 1, "{level}: {found:?}");
            let id = started[0].trim_end_matches(" true");
            assert!(rest.iter().all(|run| **run == format!("{id} false")), "{level}: {found:?}");
        }
    }
    let started =
        "SELECT count(*)::text FROM orchestrator.audit_events WHERE event_type = 'run_started'";
    assert_eq!(text(&mut client, started)?, (2 * rounds()).to_string());
    Ok(())
}

/// The question of a key is asked once. Callers with its content get its id, all others 23505.
#[test]
fn a_key_asks_one_question() -> Result<()> {
    let (database, mut client) = with_task("keys")?;
    for (kind, table, event) in [
        ("gate", "gates", "gate_opened"),
        ("review", "human_review_queue", "review_requested"),
        ("approval", "approvals", "approval_requested"),
    ] {
        for level in LEVELS {
            for round in 0..rounds() {
                let key = format!("{kind} {level} {round}");
                // In every other round the callers ask two different questions.
                let reason = |caller: usize| format!("{key} {}", caller % (1 + round % 2));
                let calls: Vec<_> = (0..CALLERS)
                    .map(|caller| with_key(&ask(kind, "t", &reason(caller)), &key))
                    .collect();
                let outcomes = meet(&database, level, &calls)?;
                let stored = text(
                    &mut client,
                    &format!(
                        "SELECT string_agg(q.id || ' ' || {}, ', ') FROM orchestrator.{table} AS q WHERE q.request_key = '{key}'",
                        if kind == "approval" { "q.notes" } else { "q.reason" }
                    ),
                )?;
                for (caller, outcome) in outcomes.iter().enumerate() {
                    match outcome {
                        Ok(id) => assert_eq!(format!("{id} {}", reason(caller)), stored),
                        Err(error) => {
                            assert_eq!(
                                error.code(),
                                Some(&SqlState::UNIQUE_VIOLATION),
                                "{error:?}"
                            );
                            assert!(!stored.ends_with(&reason(caller)), "{level}: {error:?}");
                        }
                    }
                }
            }
        }
        let asked = format!(
            "SELECT count(*)::text FROM orchestrator.audit_events WHERE event_type = '{event}'"
        );
        assert_eq!(
            text(&mut client, &asked)?,
            (2 * rounds()).to_string(),
            "{kind}: one event each"
        );
    }
    Ok(())
}

#[test]
fn a_call_of_a_model_counts_once() -> Result<()> {
    let (database, mut client) = with_task("usage")?;
    client.batch_execute("SELECT orchestrator.set_price('m', 0.05, 0.4, '2020-01-01')")?;
    for level in LEVELS {
        for round in 0..rounds() {
            let call = |caller: usize| {
                let function = ["record_token_usage", "record_llm_call"][caller % 2];
                format!(
                    "SELECT orchestrator.{function}('m', 1, 3, thread_id => 't', call_id => '{level} {round}')::text"
                )
            };
            let calls: Vec<_> = (0..CALLERS).map(call).collect();
            let ids = all(meet(&database, level, &calls)?)?;
            assert!(ids.iter().all(|id| *id == ids[0]), "{level}: {ids:?}");
        }
    }
    let sums = "SELECT concat_ws(' ', r.tokens_used, r.cost_usd, c.calls, c.cost = r.cost_usd) \
         FROM orchestrator.orchestrator_runs AS r JOIN orchestrator.run_costs AS c USING (thread_id)";
    // Four tokens for 0.00000125 USD each time.
    let calls = LEVELS.len() * rounds();
    let expected = format!("{} 0.{:010} {calls} t", 4 * calls, 12_500 * calls);
    assert_eq!(text(&mut client, sums)?, expected);
    Ok(())
}
