//! Questions about runs with many connections at once: each is asked once, the last answer releases the
//! run, and no order of calls forgets a question.

use anyhow::Result;
use postgres::Client;
use postgres::error::SqlState;
use support::Database;
use support::extension::{newest, walked_to};

use crate::meeting::{LEVELS, all, codes, meet, text};

const PROJECT: &str = "0198c5a0-0000-7000-8000-000000000001";

/// The number of callers at once.
const CALLERS: usize = 8;

/// How often the calls of a test meet at each level.
const ROUNDS: usize = 12;

/// A database with a run in thread t and a task of it.
fn with_task(name: &str) -> Result<(Database, Client)> {
    let database = walked_to(name, newest()?)?;
    let mut client = database.client()?;
    start(&mut client, "t")?;
    Ok((database, client))
}

/// Starts a run and a task of it with the same name.
fn start(client: &mut Client, thread: &str) -> Result<()> {
    Ok(client.batch_execute(&format!(
        "SELECT orchestrator.ensure_run('{thread}', '{PROJECT}', 'S'); \
         INSERT INTO orchestrator.tasks (title, task_type, thread_id) VALUES ('{thread}', 'build', '{thread}')"
    ))?)
}

/// The call that asks a question of a kind about the run of a thread.
fn ask(kind: &str, thread: &str, asks: &str) -> String {
    match kind {
        "gate" => format!(
            "SELECT orchestrator.open_gate('{PROJECT}', 'dev', 'manual', '{asks}', thread_id => '{thread}')::text"
        ),
        "review" => format!(
            "SELECT orchestrator.request_review('{thread}', 'gate_override', '{asks}')::text"
        ),
        _ => format!(
            "SELECT orchestrator.request_approval(id, 'boss', '{asks}')::text FROM orchestrator.tasks WHERE title = '{thread}'"
        ),
    }
}

/// The call with a key.
fn with_key(call: &str, key: &str) -> String {
    call.replacen(")::text", &format!(", request_key => '{key}')::text"), 1)
}

/// The call that decides a question, by `decide` or by the function of its kind.
fn decide(kind: &str, id: &str, approves: bool, directly: bool) -> String {
    if !directly {
        let word = if approves { "approve" } else { "deny" };
        return format!("SELECT status FROM orchestrator.decide('{id}', '{word}', 'boss', 'so')");
    }
    let no = if kind == "gate" { "denied" } else { "rejected" };
    let decision = if approves { "approved" } else { no };
    match kind {
        "review" if approves => format!(
            "SELECT outcome FROM orchestrator.resolve_reviews('{{{id}}}', '{decision}', 'boss', 'so')"
        ),
        _ => format!(
            "SELECT (orchestrator.resolve_{kind}('{id}', '{decision}', 'boss', 'so')).status"
        ),
    }
}

fn state(client: &mut Client, thread: &str) -> Result<String> {
    text(
        client,
        &format!(
            "SELECT gate_status || ' ' || requires_human_review FROM orchestrator.orchestrator_runs WHERE thread_id = '{thread}'"
        ),
    )
}

#[test]
fn a_thread_ensured_by_many_gets_one_run() -> Result<()> {
    let database = walked_to("ensured", newest()?)?;
    let mut client = database.client()?;
    for level in LEVELS {
        for round in 0..ROUNDS {
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
    assert_eq!(text(&mut client, started)?, (2 * ROUNDS).to_string());
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
            for round in 0..ROUNDS {
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
        assert_eq!(text(&mut client, &asked)?, (2 * ROUNDS).to_string(), "{kind}: one event each");
    }
    Ok(())
}

#[test]
fn a_call_of_a_model_counts_once() -> Result<()> {
    let (database, mut client) = with_task("usage")?;
    client.batch_execute("SELECT orchestrator.set_price('m', 0.05, 0.4, '2020-01-01')")?;
    for level in LEVELS {
        for round in 0..ROUNDS {
            let call = format!(
                "SELECT orchestrator.record_token_usage('m', 1, 3, thread_id => 't', call_id => '{level} {round}')::text"
            );
            let ids = all(meet(&database, level, &vec![call; CALLERS])?)?;
            assert!(ids.iter().all(|id| *id == ids[0]), "{level}: {ids:?}");
        }
    }
    let sums = "SELECT concat_ws(' ', r.tokens_used, r.cost_usd, c.calls, c.cost = r.cost_usd) \
         FROM orchestrator.orchestrator_runs AS r JOIN orchestrator.run_costs AS c USING (thread_id)";
    assert_eq!(text(&mut client, sums)?, "96 0.0000300000 24 t");
    Ok(())
}

/// Three gates, three reviews and two approvals. In every other round a gate is denied, each time at
/// another place.
#[test]
fn the_last_of_many_answers_releases_the_run_once() -> Result<()> {
    const KINDS: [&str; CALLERS] =
        ["gate", "review", "approval", "gate", "review", "approval", "gate", "review"];
    let database = walked_to("answers", newest()?)?;
    let mut client = database.client()?;
    for level in LEVELS {
        for round in 0..ROUNDS {
            let thread = format!("{level} {round}");
            start(&mut client, &thread)?;
            let denied = if round % 2 == 1 { round / 2 % 3 * 3 } else { CALLERS };
            let mut calls = Vec::new();
            for (place, kind) in KINDS.into_iter().enumerate() {
                let id = text(&mut client, &ask(kind, &thread, "may I?"))?;
                // A rejected approval is about its task alone.
                let approves = place != denied && !(kind == "approval" && round % 3 == 0);
                calls.push(decide(kind, &id, approves, (place + round) % 2 == 0));
            }
            assert_eq!(state(&mut client, &thread)?, "hold true");
            all(meet(&database, level, &calls)?)?;
            let is_denied = denied < CALLERS;
            let expected = if is_denied { "recycle false" } else { "go false" };
            assert_eq!(state(&mut client, &thread)?, expected, "{thread}");
            let released = text(
                &mut client,
                &format!(
                    "SELECT count(*)::text FROM orchestrator.audit_events WHERE metadata ->> 'thread_id' = '{thread}' \
                     AND event_type ~ '_(approved|denied|rejected)$' AND metadata ->> 'gate_status' = 'go'"
                ),
            )?;
            assert_eq!(released, if is_denied { "0" } else { "1" }, "{thread}");
        }
    }
    Ok(())
}

/// The last open question is decided while another one is asked.
#[test]
fn a_question_asked_during_the_last_answer_is_not_forgotten() -> Result<()> {
    let database = walked_to("another", newest()?)?;
    let mut client = database.client()?;
    for level in LEVELS {
        for first in ["gate", "review", "approval"] {
            for (round, second) in
                ["gate", "review", "approval", "gate", "gate"].into_iter().enumerate()
            {
                let thread = format!("{level} {first} {round}");
                start(&mut client, &thread)?;
                let id = text(&mut client, &ask(first, &thread, "first"))?;
                let calls = [
                    decide(first, &id, true, round % 2 == 0),
                    ask(second, &thread, "second"),
                    ask(second, &thread, "third"),
                ];
                let outcomes = all(meet(&database, level, &calls)?)?;
                let found = state(&mut client, &thread)?;
                if second == "gate" {
                    assert_eq!(found, "hold true", "{thread} {second}");
                } else {
                    assert!(found.ends_with(" true"), "{thread} {second}: {found}");
                }
                for id in &outcomes[1..] {
                    text(&mut client, &decide(second, id, true, false))?;
                }
                let found = state(&mut client, &thread)?;
                let has_held = first == "gate" || second == "gate";
                assert_eq!(found, if has_held { "go false" } else { "pending false" }, "{thread}");
            }
        }
    }
    Ok(())
}

/// An approval may be asked about a task of a run that is complete, and then comes after the end.
#[test]
fn no_run_becomes_complete_with_an_open_question() -> Result<()> {
    let database = walked_to("complete", newest()?)?;
    let mut client = database.client()?;
    for level in LEVELS {
        for round in 0..2 * ROUNDS {
            let kind = ["gate", "review", "approval"][round % 3];
            let thread = format!("{level} {round}");
            start(&mut client, &thread)?;
            client.batch_execute(&format!(
                "SELECT orchestrator.record_run_progress('{thread}', 'development'); \
                 SELECT orchestrator.record_run_progress('{thread}', 'testing')"
            ))?;
            let complete =
                format!("SELECT (orchestrator.record_run_progress('{thread}', 'complete')).phase");
            let asking = ask(kind, &thread, "wait?");
            let calls = [complete.clone(), asking.clone(), complete, asking];
            let outcomes = meet(&database, level, &calls)?;
            assert!(codes(&outcomes).iter().all(|code| code == "55000"), "{thread}: {outcomes:?}");
            let forgotten = text(
                &mut client,
                &format!(
                    "SELECT count(*)::text FROM orchestrator.audit_events AS asked JOIN orchestrator.audit_events AS done \
                         ON done.metadata ->> 'thread_id' = asked.metadata ->> 'thread_id' AND done.id > asked.id \
                     WHERE asked.metadata ->> 'thread_id' = '{thread}' AND done.metadata ->> 'phase' = 'complete' \
                       AND asked.event_type IN ('gate_opened', 'review_requested', 'approval_requested')"
                ),
            )?;
            assert_eq!(forgotten, "0", "{thread} {kind}");
            let open = text(
                &mut client,
                &format!(
                    "SELECT phase || ' ' || pending_gates + pending_reviews FROM orchestrator.run_summary WHERE thread_id = '{thread}'"
                ),
            )?;
            assert!(
                open == "complete 0" || open.starts_with("testing "),
                "{thread} {kind}: {open}"
            );
        }
    }
    Ok(())
}

/// The thread is renamed while its question is decided by two callers: one of these wins.
#[test]
fn a_rename_during_a_decision_loses_nothing() -> Result<()> {
    let database = walked_to("renamed", newest()?)?;
    let mut client = database.client()?;
    for level in LEVELS {
        for round in 0..3 * ROUNDS {
            let kind = ["gate", "approval", "review"][round % 3];
            let thread = format!("{level} {round}");
            start(&mut client, &thread)?;
            let id = text(&mut client, &ask(kind, &thread, "may I?"))?;
            let rename = |suffix: &str| {
                format!(
                    "UPDATE orchestrator.orchestrator_runs SET thread_id = '{thread}: {suffix}' \
                     WHERE thread_id LIKE '{thread}%' AND thread_id !~ '[0-9]{{3}}' RETURNING thread_id"
                )
            };
            let calls = [
                decide(kind, &id, true, true),
                rename("one"),
                decide(kind, &id, true, kind == "gate"),
                rename("two"),
            ];
            let outcomes = meet(&database, level, &calls)?;
            assert!(outcomes[1].is_ok() && outcomes[3].is_ok(), "{outcomes:?}");
            let decided = [&outcomes[0], &outcomes[2]];
            let by_bulk = outcomes[0].as_ref().is_ok_and(|outcome| outcome == "already_resolved");
            if !by_bulk {
                assert_eq!(
                    decided.iter().filter(|outcome| outcome.is_ok()).count(),
                    1,
                    "{outcomes:?}"
                );
            }
            assert!(codes(&outcomes).iter().all(|code| code == "55000"), "{outcomes:?}");
            let found = text(
                &mut client,
                &format!(
                    "SELECT concat_ws(' ', d.gate_status IS DISTINCT FROM 'hold', d.requires_human_review, \
                         (SELECT count(*) FROM orchestrator.pending_decisions AS p WHERE p.thread_id = d.thread_id)) \
                     FROM orchestrator.orchestrator_runs AS d JOIN orchestrator.tasks AS t USING (thread_id) WHERE t.title = '{thread}'"
                ),
            )?;
            assert_eq!(found, "t f 0", "{thread} {kind}");
        }
    }
    Ok(())
}
