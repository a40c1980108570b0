//! Questions about runs, decided and asked with many connections at once: the last answer releases the
//! run, and no order of calls forgets a question.

use anyhow::Result;
use support::extension::{newest, walked_to};
use xtask::checks::cases;

use crate::meeting::{LEVELS, all, codes, meet, text};
use crate::run_calls::{ask, decide, start, state};

/// The number of callers at once.
const CALLERS: usize = 8;

/// How often the calls of a test meet at each level.
fn rounds() -> usize {
    cases::number(12, 4)
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
        for round in 0..rounds() {
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
        for round in 0..2 * rounds() {
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

/// The thread is renamed while its question is decided by two callers, who both get the row.
#[test]
fn a_rename_during_a_decision_loses_nothing() -> Result<()> {
    let database = walked_to("renamed", newest()?)?;
    let mut client = database.client()?;
    for level in LEVELS {
        for round in 0..3 * rounds() {
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
            assert_eq!(codes(&outcomes), [""; 0], "{outcomes:?}");
            let events = format!(
                "SELECT count(*)::text FROM orchestrator.audit_events WHERE event_type = '{kind}_approved' AND metadata ->> '{kind}_id' = '{id}'"
            );
            assert_eq!(text(&mut client, &events)?, "1", "{thread} {kind}");
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
