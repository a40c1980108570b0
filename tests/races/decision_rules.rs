//! Questions with rules, answered, claimed, ended and asked by many connections at once: each has one outcome.

use anyhow::Result;
use postgres::Client;
use support::Database;
use support::extension::{newest, walked_to};
use xtask::checks::cases;

use crate::CONNECTIONS;
use crate::meeting::{LEVELS, codes, meet, text};
use crate::run_calls::{ask, start};

/// How often the calls of a test meet at each level.
fn rounds() -> usize {
    cases::number(4, 2)
}

/// The number of people who vote at once.
const VOTERS: usize = 64;

const KINDS: [&str; 3] = ["review", "gate", "approval"];

/// A database in which every caller is the person that the claims name.
fn prepared(name: &str) -> Result<(Database, Client)> {
    let database = walked_to(name, newest()?)?;
    let mut client = database.client()?;
    text(
        &mut client,
        "SELECT key FROM orchestrator.set_configuration('shared_logins', session_user)",
    )?;
    Ok((database, client))
}

fn rule(client: &mut Client, kind: &str, terms: &str) -> Result<()> {
    text(client, &format!("SELECT kind FROM orchestrator.set_decision_rule('{kind}', {terms})"))
        .map(drop)
}

/// The call by which a person decides.
fn vote(id: &str, person: usize, decision: &str) -> String {
    format!(
        "SELECT d.status FROM set_config('request.jwt.claims', '{{\"sub\": \"person {person}\"}}', false) AS c, \
         LATERAL orchestrator.decide('{id}', '{decision}', left(c, 0) || 'person {person}', 'why', 'boss') AS d"
    )
}

/// The number of events about the answer of the questions of a run.
fn answers(client: &mut Client, thread: &str) -> Result<String> {
    text(
        client,
        &format!(
            "SELECT count(*)::text FROM orchestrator.audit_events \
             WHERE metadata ->> 'thread_id' = '{thread}' AND event_type ~ '_(approved|denied|rejected|withdrawn)$'"
        ),
    )
}

fn asked(client: &mut Client, kind: &str, thread: &str) -> Result<String> {
    start(client, thread)?;
    text(client, &ask(kind, thread, "may I?"))
}

#[test]
fn of_many_votes_one_reaches_the_number() -> Result<()> {
    let (database, mut client) = prepared("rules_votes")?;
    for kind in KINDS {
        rule(&mut client, kind, "approvals_needed => 3")?;
    }
    for level in LEVELS {
        for kind in KINDS {
            let thread = format!("{level} {kind}");
            let id = asked(&mut client, kind, &thread)?;
            let calls: Vec<_> = (0..VOTERS).map(|person| vote(&id, person, "approve")).collect();
            let outcomes = meet(&database, level, &calls)?;
            let given = |status| outcomes.iter().flatten().filter(|given| *given == status).count();
            assert_eq!((given("pending"), given("approved")), (2, 1), "{thread}");
            assert_eq!(codes(&outcomes), vec!["55000"; VOTERS - 3], "{thread}");
            assert_eq!(answers(&mut client, &thread)?, "1", "{thread}");
            let votes = format!(
                "SELECT count(*)::text FROM orchestrator.decision_votes WHERE decision_id = '{id}'"
            );
            assert_eq!(text(&mut client, &votes)?, "3", "{thread}");
        }
    }
    Ok(())
}

/// One person on many connections has one vote.
#[test]
fn a_person_has_one_vote_on_any_number_of_connections() -> Result<()> {
    let (database, mut client) = prepared("rules_person")?;
    rule(&mut client, "gate", "approvals_needed => 2")?;
    for level in LEVELS {
        let thread = format!("{level} gate");
        let id = asked(&mut client, "gate", &thread)?;
        let calls = vec![vote(&id, 1, "approve"); CONNECTIONS];
        let outcomes = meet(&database, level, &calls)?;
        assert_eq!(codes(&outcomes), [""; 0], "{thread}");
        assert!(outcomes.iter().flatten().all(|status| status == "pending"), "{thread}");
        assert_eq!(answers(&mut client, &thread)?, "0", "{thread}");
    }
    Ok(())
}

#[test]
fn a_deadline_and_people_give_one_answer() -> Result<()> {
    let (database, mut client) = prepared("rules_deadline")?;
    for kind in KINDS {
        rule(&mut client, kind, "respond_within => '1 hour', on_timeout => 'reject'")?;
    }
    for level in LEVELS {
        for kind in KINDS {
            for round in 0..rounds() {
                let thread = format!("{level} {kind} {round}");
                let id = asked(&mut client, kind, &thread)?;
                client.batch_execute(&format!(
                    "UPDATE orchestrator.decision_terms SET due_at = '2026-01-01' WHERE decision_id = '{id}'"
                ))?;
                let calls: Vec<_> = (0..CONNECTIONS)
                    .map(|caller| match caller % 2 {
                        0 => {
                            "SELECT count(*)::text FROM orchestrator.expire_decisions()".to_owned()
                        }
                        _ => vote(&id, caller, "approve"),
                    })
                    .collect();
                let outcomes = meet(&database, level, &calls)?;
                let decided = outcomes
                    .iter()
                    .flatten()
                    .filter(|given| *given == "1" || *given == "approved")
                    .count();
                assert_eq!(decided, 1, "{thread}: {outcomes:?}");
                assert!(
                    codes(&outcomes).iter().all(|code| code == "55000"),
                    "{thread}: {outcomes:?}"
                );
                assert_eq!(answers(&mut client, &thread)?, "1", "{thread}");
            }
        }
    }
    Ok(())
}

#[test]
fn of_many_claims_one_holds() -> Result<()> {
    let (database, mut client) = prepared("rules_claims")?;
    for level in LEVELS {
        for kind in KINDS {
            let thread = format!("{level} {kind}");
            let id = asked(&mut client, kind, &thread)?;
            let calls: Vec<_> = (0..CONNECTIONS)
                .map(|caller| {
                    format!("SELECT orchestrator.claim_decision('{id}', 'person {caller}')::text")
                })
                .collect();
            let outcomes = meet(&database, level, &calls)?;
            assert_eq!(codes(&outcomes), vec!["55000"; CONNECTIONS - 1], "{thread}");
        }
    }
    Ok(())
}

/// Each rule needs as many rejections as approvals.
#[test]
fn the_terms_of_a_question_are_one_rule() -> Result<()> {
    let (database, mut client) = prepared("rules_change")?;
    for level in LEVELS {
        for round in 1..=rounds() {
            let thread = format!("{level} {round}");
            start(&mut client, &thread)?;
            let calls: Vec<_> = (0..CONNECTIONS)
                .map(|caller| match caller % 4 {
                    0 => format!("SELECT kind FROM orchestrator.set_decision_rule('review', approvals_needed => {0}, rejections_needed => {0})", caller + round),
                    1 => "SELECT orchestrator.drop_decision_rule('review')::text".to_owned(),
                    _ => format!("SELECT orchestrator.request_review('{thread}', 'safety', 'r {caller}')::text"),
                })
                .collect();
            let outcomes = meet(&database, level, &calls)?;
            assert_eq!(codes(&outcomes), [""; 0], "{thread}");
        }
    }
    let mixed = "SELECT count(*)::text FROM orchestrator.decision_terms WHERE approvals_needed <> rejections_needed";
    assert_eq!(text(&mut client, mixed)?, "0");
    Ok(())
}

#[test]
fn a_run_that_ends_leaves_no_question() -> Result<()> {
    let (database, mut client) = prepared("rules_end")?;
    for level in LEVELS {
        for round in 0..rounds() {
            let thread = format!("{level} {round}");
            start(&mut client, &thread)?;
            let open: Vec<String> = KINDS
                .iter()
                .map(|kind| text(&mut client, &ask(kind, &thread, "may I?")))
                .collect::<Result<_>>()?;
            let mut calls =
                vec![format!("SELECT phase FROM orchestrator.kill_run('{thread}', 'stop')")];
            calls.extend(KINDS.iter().map(|kind| ask(kind, &thread, "and now?")));
            calls.extend(open.iter().map(|id| vote(id, 1, "approve")));
            let outcomes = meet(&database, level, &calls)?;
            assert!(codes(&outcomes).iter().all(|code| code == "55000"), "{thread}: {outcomes:?}");
            let left = format!(
                "SELECT coalesce(string_agg(kind, ' '), 'none') FROM orchestrator.pending_decisions WHERE thread_id = '{thread}' AND kind <> 'approval'"
            );
            assert_eq!(text(&mut client, &left)?, "none", "{thread}");
        }
    }
    Ok(())
}

/// Approvals are requested and given while workers claim and the run is resumed.
#[test]
fn a_task_is_claimed_only_with_its_approval_and_waits_for_nothing_else() -> Result<()> {
    let (database, mut client) = prepared("rules_held")?;
    let now = "SELECT count(*)::text FROM orchestrator.verify()";
    for level in LEVELS {
        for round in 0..rounds() {
            let thread = format!("{level} {round}");
            start(&mut client, &thread)?;
            let kind = format!("kind {level} {round}");
            let task = text(
                &mut client,
                &format!(
                    "SELECT task_id::text FROM orchestrator.create_task('{kind}', 't', thread_id => '{thread}')"
                ),
            )?;
            text(
                &mut client,
                &format!("SELECT gate_status FROM orchestrator.pause_run('{thread}', 'wait')"),
            )?;
            let id = text(
                &mut client,
                &format!("SELECT orchestrator.request_approval('{task}', 'boss')::text"),
            )?;
            let claim =
                format!("SELECT count(*)::text FROM orchestrator.claim_tasks('w', '{{{kind}}}')");
            let calls = [
                format!("SELECT gate_status FROM orchestrator.resume_run('{thread}')"),
                vote(&id, 1, "approve"),
                claim.clone(),
                claim.clone(),
            ];
            let outcomes = meet(&database, level, &calls)?;
            assert!(codes(&outcomes).iter().all(|code| code == "55000"), "{thread}: {outcomes:?}");
            // A resumption is refused while the question is open.
            text(
                &mut client,
                &format!("SELECT gate_status FROM orchestrator.resume_run('{thread}')"),
            )?;
            text(&mut client, &claim)?;
            let status = format!("SELECT status FROM orchestrator.tasks WHERE id = '{task}'");
            assert_eq!(text(&mut client, &status)?, "running", "{thread}: {outcomes:?}");
            assert_eq!(text(&mut client, now)?, "0", "{thread}");
        }
    }
    Ok(())
}

#[test]
fn the_end_of_a_task_and_its_approval_wait_for_each_other() -> Result<()> {
    let (database, mut client) = prepared("rules_cancel")?;
    for level in LEVELS {
        for round in 0..rounds() {
            let thread = format!("{level} {round}");
            start(&mut client, &thread)?;
            let task = text(
                &mut client,
                &format!(
                    "SELECT task_id::text FROM orchestrator.create_task('t', 't', thread_id => '{thread}')"
                ),
            )?;
            let id = text(
                &mut client,
                &format!("SELECT orchestrator.request_approval('{task}', 'boss')::text"),
            )?;
            let calls = [
                format!("SELECT status FROM orchestrator.cancel_task('{task}', 'why')"),
                vote(&id, 1, "approve"),
                format!("SELECT status FROM orchestrator.withdraw_decision('{id}', 'me', 'why')"),
            ];
            let outcomes = meet(&database, level, &calls)?;
            assert!(codes(&outcomes).iter().all(|code| code == "55000"), "{thread}: {outcomes:?}");
            assert_eq!(answers(&mut client, &thread)?, "1", "{thread}");
            let state = format!(
                "SELECT requires_human_review::text FROM orchestrator.orchestrator_runs WHERE thread_id = '{thread}'"
            );
            assert_eq!(text(&mut client, &state)?, "false", "{thread}");
        }
    }
    Ok(())
}

/// Whoever keeps a snapshot cannot ask under a rule that no longer stands.
#[test]
fn no_question_is_asked_under_an_old_rule() -> Result<()> {
    let (database, mut client) = prepared("old_rules")?;
    rule(&mut client, "review", "approvals_needed => 2")?;
    start(&mut client, "thread")?;
    let mut agent = database.client()?;
    let keep = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM pg_class";
    let gate = "SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'a', 'manual', 'why')::text";
    agent.batch_execute(keep)?;
    rule(&mut client, "gate", "approvals_needed => 2")?;
    let refused = text(&mut agent, gate).expect_err("the rule came later");
    assert!(format!("{refused:#}").contains("rules for gates were changed"), "{refused:#}");
    agent.batch_execute("ROLLBACK")?;
    // Rules of another kind do not matter, and a question under the newest rule is asked.
    agent.batch_execute(keep)?;
    rule(&mut client, "review", "approvals_needed => 3")?;
    let id = text(&mut agent, gate)?;
    agent.batch_execute("COMMIT")?;
    let needed = format!(
        "SELECT approvals_needed::text FROM orchestrator.decision_terms WHERE decision_id = '{id}'"
    );
    assert_eq!(text(&mut client, &needed)?, "2");
    Ok(())
}
