//! People and deadlines that meet at one question, rules that change while questions are asked, and tasks that
//! wait for an approval: each question has one outcome, and each outcome happens once.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Result;
use postgres::error::SqlState;
use postgres::{Client, Error};
use support::Database;
use support::deadline::wait_until;
use support::extension::{differences, newest, walked_to};
use support::roles;
use xtask::checks::cases;

use crate::meeting::{LEVELS, all, codes, meet, text};
use crate::run_calls::{PROJECT, ask, start, state};
use crate::{CONNECTIONS, must_try_again};

/// How often the calls of a test meet at each level.
fn rounds() -> usize {
    cases::number(4, 2)
}

/// The number of people who vote at once.
const VOTERS: usize = 64;

/// The number of approvals that a vote of many needs.
const QUORUM: usize = 3;

const KINDS: [&str; 3] = ["review", "gate", "approval"];

/// A gate without a run, and its id.
const ALONE: &str = "SELECT orchestrator.open_gate('0198c5a0-0000-7000-8000-000000000001', 'dev', 'manual', 'may I?')::text";

fn prepared(name: &str) -> Result<(Database, Client)> {
    let database = walked_to(name, newest()?)?;
    let client = database.client()?;
    Ok((database, client))
}

fn run(client: &mut Client, sql: &str) -> Result<()> {
    Ok(client.batch_execute(sql)?)
}

/// The SQLSTATE of a statement; empty if it succeeded.
fn code(client: &mut Client, sql: &str) -> String {
    match client.batch_execute(sql) {
        Ok(()) => String::new(),
        Err(error) => code_of(&error),
    }
}

fn code_of(error: &Error) -> String {
    error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned())
}

fn rule(client: &mut Client, kind: &str, terms: &str) -> Result<()> {
    run(client, &format!("SELECT orchestrator.set_decision_rule('{kind}', {terms})"))
}

/// A run with a question of a kind about it.
fn asked(client: &mut Client, kind: &str, thread: &str) -> Result<String> {
    start(client, thread)?;
    text(client, &ask(kind, thread, "may I?"))
}

fn status(client: &mut Client, id: &str) -> Result<String> {
    text(client, &format!("SELECT status FROM orchestrator.decision('{id}')"))
}

/// The call by which a person decides. The role matters for approvals alone.
fn answer(id: &str, word: &str, person: &str) -> String {
    format!("SELECT status FROM orchestrator.decide('{id}', '{word}', '{person}', 'why', 'boss')")
}

/// The number of events with the end of a question.
fn ends(client: &mut Client, id: &str) -> Result<String> {
    text(
        client,
        &format!(
            "SELECT count(*)::text FROM orchestrator.audit_events \
             WHERE event_type ~ '^(review|gate|approval)_(approved|denied|rejected|changes_requested|withdrawn)$' \
               AND '{id}' IN (metadata ->> 'review_id', metadata ->> 'gate_id', metadata ->> 'approval_id')"
        ),
    )
}

/// The votes about a question: how many there are, of how many people, and how many approve.
fn votes(client: &mut Client, id: &str) -> Result<String> {
    text(
        client,
        &format!(
            "SELECT concat_ws(' ', count(*), count(DISTINCT voted_as), count(*) FILTER (WHERE vote = 'approved')) \
             FROM orchestrator.decision_votes WHERE decision_id = '{id}'"
        ),
    )
}

/// A call of a person: the login, the settings of the session, and the call.
struct Ballot {
    login: String,
    settings: String,
    call: String,
}

/// As `meet`, for people with logins of their own.
fn people_meet(
    database: &Database,
    level: &str,
    ballots: &[Ballot],
) -> Result<Vec<Result<String, Error>>> {
    let clients = ballots
        .iter()
        .map(|ballot| database.client_as(&ballot.login))
        .collect::<Result<Vec<_>>>()?;
    let barrier = Barrier::new(ballots.len());
    Ok(thread::scope(|scope| {
        let threads: Vec<_> = clients
            .into_iter()
            .zip(ballots)
            .map(|(mut client, ballot)| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let begun = client.batch_execute(&format!(
                        "{}; SET default_transaction_isolation = '{level}'; BEGIN; SELECT 1",
                        ballot.settings
                    ));
                    barrier.wait();
                    begun?;
                    let mut outcome = value(&mut client, &ballot.call);
                    client.batch_execute(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
                    while level != LEVELS[0] && is_to_be_tried_again(&outcome) {
                        outcome = value(&mut client, &ballot.call);
                    }
                    outcome
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("the thread ends")).collect()
    }))
}

fn value(client: &mut Client, call: &str) -> Result<String, Error> {
    client.query_one(call, &[])?.try_get(0)
}

fn is_to_be_tried_again<T>(outcome: &Result<T, Error>) -> bool {
    let code = outcome.as_ref().err().and_then(Error::code);
    code == Some(&SqlState::T_R_SERIALIZATION_FAILURE)
}

/// Makes calls one after the other while another transaction holds what `hold` locks. Each call waits when the
/// next one begins. Returns the outcomes after that transaction has ended.
fn cross(database: &Database, hold: &str, calls: &[String]) -> Result<Vec<Result<String, Error>>> {
    let (mut holder, mut watcher) = (database.client()?, database.client()?);
    holder.batch_execute(&format!("BEGIN; {hold}"))?;
    let clients = calls.iter().map(|_| database.client()).collect::<Result<Vec<_>>>()?;
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for (place, (mut client, call)) in clients.into_iter().zip(calls).enumerate() {
            threads.push(scope.spawn(move || value(&mut client, call)));
            let waits = until_that_many_wait(&mut watcher, place + 1);
            if waits.is_err() {
                holder.batch_execute("ROLLBACK")?;
                waits?;
            }
        }
        holder.batch_execute("COMMIT")?;
        Ok(threads.into_iter().map(|thread| thread.join().expect("the thread ends")).collect())
    })
}

fn until_that_many_wait(client: &mut Client, number: usize) -> Result<()> {
    const WAITING: &str = "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    wait_until("the calls wait for a lock", || Ok(text(client, WAITING)? == number.to_string()))
}

/// Logins that may review, as many as asked for.
fn reviewers(database: &Database, client: &mut Client, number: usize) -> Result<Vec<String>> {
    let group = roles::name(database, "people");
    roles::make(client, &group)?;
    roles::grant(client, &group, "reviewer")?;
    let logins: Vec<String> =
        (0..number).map(|person| roles::name(database, &format!("p{person}"))).collect();
    for login in &logins {
        roles::make(client, login)?;
        run(client, &format!("GRANT {group} TO {login}"))?;
    }
    Ok(logins)
}

/// One vote of each person decides nothing but at the number, and the others are told that they are late.
fn assert_decided_once(outcomes: &[Result<String, Error>], about: &str) {
    let given = |status| outcomes.iter().flatten().filter(|given| *given == status).count();
    assert_eq!((given("pending"), given("approved")), (QUORUM - 1, 1), "{about}: {outcomes:?}");
    assert_eq!(codes(outcomes), vec!["55000"; VOTERS - QUORUM], "{about}");
}

/// A gate of no run, so that no lock of a run brings the voters into an order.
#[test]
fn of_64_logins_one_decides_a_gate_without_a_run() -> Result<()> {
    let (database, mut client) = prepared("quorum_logins")?;
    rule(&mut client, "gate", &format!("approvals_needed => {QUORUM}"))?;
    let logins = reviewers(&database, &mut client, VOTERS)?;
    for (round, level) in LEVELS.into_iter().enumerate() {
        let id = text(&mut client, ALONE)?;
        let ballots: Vec<Ballot> = logins
            .iter()
            .enumerate()
            .map(|(person, login)| Ballot {
                login: login.clone(),
                settings: String::new(),
                // All of them give the same name.
                call: match person % 2 {
                    0 => answer(&id, "approve", "ada"),
                    _ => format!(
                        "SELECT (orchestrator.resolve_gate('{id}', 'approved', 'ada')).status"
                    ),
                },
            })
            .collect();
        let outcomes = people_meet(&database, level, &ballots)?;
        // A person who gives the name of the one who decided has decided nothing.
        assert_decided_once(&outcomes, level);
        assert_eq!(votes(&mut client, &id)?, "3 3 3", "{level}");
        assert_eq!(ends(&mut client, &id)?, "1", "{level}");
        let lessons = "SELECT count(*)::text FROM orchestrator.knowledge_staging";
        assert_eq!(text(&mut client, lessons)?, (round + 1).to_string(), "{level}");
        for (ballot, outcome) in ballots.iter().zip(&outcomes) {
            let mut again = database.client_as(&ballot.login)?;
            let repeated = value(&mut again, &ballot.call).map_err(|error| code_of(&error));
            let expected =
                if outcome.is_ok() { Ok("approved".to_owned()) } else { Err("55000".to_owned()) };
            assert_eq!(repeated, expected, "{level}: who voted is told the end, others are late");
        }
        assert_eq!(votes(&mut client, &id)?, "3 3 3", "{level}");
    }
    Ok(())
}

/// A safety review holds its run. The people share a login.
#[test]
fn of_64_subjects_one_decides_a_review_and_the_run_goes_on_once() -> Result<()> {
    let (database, mut client) = prepared("quorum_subjects")?;
    rule(&mut client, "review", &format!("approvals_needed => {QUORUM}"))?;
    let gateway = reviewers(&database, &mut client, 1)?.remove(0);
    run(
        &mut client,
        &format!("SELECT orchestrator.set_configuration('shared_logins', 'x, {gateway}')"),
    )?;
    for level in LEVELS {
        start(&mut client, level)?;
        run(
            &mut client,
            &format!("SELECT orchestrator.record_safety('{level}', 0.4, '{{\"x\"}}')"),
        )?;
        let id = text(&mut client, "SELECT id::text FROM orchestrator.pending_decisions")?;
        assert_eq!(state(&mut client, level)?, "hold true");
        let ballots: Vec<Ballot> = (0..VOTERS)
            .map(|person| Ballot {
                login: gateway.clone(),
                settings: format!("SET request.jwt.claims = '{{\"sub\": \"s {person}\"}}'"),
                call: match person % 3 {
                    0 => answer(&id, "approve", &format!("p {person}")),
                    1 => format!("SELECT (orchestrator.resolve_review('{id}', 'approved', 'p {person}')).status"),
                    // The list says voted and resolved where the others say pending and approved.
                    _ => format!(
                        "SELECT CASE outcome WHEN 'voted' THEN 'pending' WHEN 'resolved' THEN 'approved' ELSE outcome END \
                         FROM orchestrator.resolve_reviews('{{{id}}}', 'approved', 'p {person}')"
                    ),
                },
            })
            .collect();
        let outcomes = people_meet(&database, level, &ballots)?;
        let given = |status| outcomes.iter().flatten().filter(|given| *given == status).count();
        let counts = (given("pending"), given("approved"));
        assert_eq!(counts, (QUORUM - 1, 1), "{level}: {outcomes:?}");
        assert_eq!(given("already_resolved") + codes(&outcomes).len(), VOTERS - QUORUM, "{level}");
        assert!(codes(&outcomes).iter().all(|code| code == "55000"), "{level}: {outcomes:?}");
        assert_eq!(votes(&mut client, &id)?, "3 3 3", "{level}");
        assert_eq!(ends(&mut client, &id)?, "1", "{level}");
        assert_eq!(state(&mut client, level)?, "go false", "{level}");
    }
    Ok(())
}

/// Makes a question overdue.
fn overdue(client: &mut Client, id: &str) -> Result<()> {
    run(
        client,
        &format!(
            "UPDATE orchestrator.decision_terms SET due_at = '2026-01-01' WHERE decision_id = '{id}'"
        ),
    )
}

const EXPIRE: &str =
    "SELECT coalesce(string_agg(outcome, ' '), 'none') FROM orchestrator.expire_decisions()";

#[test]
fn a_deadline_and_a_person_end_a_question_once() -> Result<()> {
    let (database, mut client) = prepared("deadline_person")?;
    for level in LEVELS {
        for kind in KINDS {
            for round in 0..rounds() * 2 {
                let (act, by_clock) =
                    [("approve", "approved"), ("reject", "rejected")][round / 2 % 2];
                rule(
                    &mut client,
                    kind,
                    &format!("respond_within => '1 hour', on_timeout => '{act}'"),
                )?;
                let about = format!("{level} {kind} {round}");
                let id = asked(&mut client, kind, &about)?;
                overdue(&mut client, &id)?;
                let (word, by_person) =
                    [("approve", "approved"), ("reject", "rejected")][round % 2];
                let calls = [EXPIRE.to_owned(), answer(&id, word, "ada"), EXPIRE.to_owned()];
                let outcomes = meet(&database, level, &calls)?;
                let found = text(
                    &mut client,
                    &format!(
                        "SELECT status || ' ' || decided_by FROM orchestrator.decision('{id}')"
                    ),
                )?;
                let expired: Vec<_> =
                    [0, 2].iter().filter_map(|place| outcomes[*place].as_ref().ok()).collect();
                assert_eq!(expired.len(), 2, "{about}: {outcomes:?}");
                match &outcomes[1] {
                    Ok(given) => {
                        let is_denied = kind == "gate" && by_person == "rejected";
                        let own_word = if is_denied { "denied" } else { by_person };
                        assert_eq!(given, own_word, "{about}");
                        assert_eq!(expired, ["none", "none"], "{about}");
                        assert_eq!(found, format!("{by_person} ada"), "{about}");
                    }
                    Err(error) => {
                        assert_eq!(code_of(error), "55000", "{about}");
                        let acted = expired.iter().filter(|given| **given == by_clock).count();
                        let idle = expired.iter().filter(|given| **given == "none").count();
                        assert_eq!((acted, idle), (1, 1), "{about}: {outcomes:?}");
                        assert_eq!(found, format!("{by_clock} timeout"), "{about}");
                    }
                }
                assert_eq!(ends(&mut client, &id)?, "1", "{about}");
            }
        }
    }
    Ok(())
}

/// Both orders, each with one call that waits for the transaction of the other.
#[test]
fn who_comes_first_at_a_deadline_wins() -> Result<()> {
    let (database, mut client) = prepared("deadline_order")?;
    for kind in KINDS {
        rule(&mut client, kind, "respond_within => '1 hour', on_timeout => 'approve'")?;
        for is_person_first in [true, false] {
            let about = format!("{kind} {is_person_first}");
            let id = asked(&mut client, kind, &about)?;
            overdue(&mut client, &id)?;
            let person = answer(&id, "reject", "ada");
            let (first, second) = match is_person_first {
                true => (person, EXPIRE.to_owned()),
                false => (EXPIRE.to_owned(), person),
            };
            let outcome = cross(&database, &first, &[second])?.remove(0);
            let outcome = outcome.map_err(|error| code_of(&error));
            let (expected, status_now) = match is_person_first {
                true => (Ok("none".to_owned()), "rejected"),
                false => (Err("55000".to_owned()), "approved"),
            };
            assert_eq!(outcome, expected, "{about}");
            assert_eq!(status(&mut client, &id)?, status_now, "{about}");
            assert_eq!(ends(&mut client, &id)?, "1", "{about}");
        }
    }
    Ok(())
}

/// A vote that decides nothing keeps no deadline away, and is kept.
#[test]
fn a_vote_below_the_number_and_a_deadline_are_both_kept() -> Result<()> {
    let (database, mut client) = prepared("deadline_vote")?;
    for level in LEVELS {
        for kind in KINDS {
            let needed =
                "approvals_needed => 2, respond_within => '1 hour', on_timeout => 'reject'";
            rule(&mut client, kind, needed)?;
            for round in 0..rounds() {
                let about = format!("{level} {kind} {round}");
                let id = asked(&mut client, kind, &about)?;
                overdue(&mut client, &id)?;
                let calls = [EXPIRE.to_owned(), answer(&id, "approve", "ada")];
                let outcomes = meet(&database, level, &calls)?;
                assert_eq!(outcomes[0].as_deref().ok(), Some("rejected"), "{about}: {outcomes:?}");
                let is_cast = match &outcomes[1] {
                    Ok(given) => given == "pending",
                    Err(error) => {
                        assert_eq!(code_of(error), "55000", "{about}");
                        false
                    }
                };
                assert_eq!(status(&mut client, &id)?, "rejected", "{about}");
                let kept = if is_cast { "1 1 1" } else { "0 0 0" };
                assert_eq!(votes(&mut client, &id)?, kept, "{about}: {outcomes:?}");
                assert_eq!(ends(&mut client, &id)?, "1", "{about}");
            }
        }
    }
    Ok(())
}

fn claim(id: &str, name: &str) -> String {
    format!("SELECT orchestrator.claim_decision('{id}', '{name}')::text")
}

/// The name that holds a question; `nobody` if none does.
fn holder(client: &mut Client, id: &str) -> Result<String> {
    text(
        client,
        &format!(
            "SELECT coalesce((SELECT claimed_by FROM orchestrator.pending_decisions WHERE id = '{id}'), 'nobody')"
        ),
    )
}

/// A claim of Ada meets the answer of Bea: either Ada holds an open question, or Bea has answered one that nobody
/// holds.
fn assert_one_of_both(
    client: &mut Client,
    id: &str,
    claimed: &Result<String, Error>,
    decided: &Result<String, Error>,
    about: &str,
) -> Result<()> {
    let found = format!("{about}: {claimed:?} {decided:?}");
    let refused = [claimed, decided].map(|outcome| outcome.as_ref().err().map(code_of));
    match refused {
        [None, Some(code)] => {
            assert_eq!(code, "55000", "{found}");
            assert_eq!(status(client, id)?, "pending", "{found}");
            assert_eq!(holder(client, id)?, "ada", "{found}");
        }
        [Some(code), None] => {
            assert_eq!(code, "55000", "{found}");
            assert_eq!(status(client, id)?, "approved", "{found}");
        }
        _ => panic!("one of both is refused: {found}"),
    }
    Ok(())
}

#[test]
fn a_claim_and_the_answer_of_another_exclude_each_other() -> Result<()> {
    let (database, mut client) = prepared("claim_answer")?;
    for has_rule in [true, false] {
        for kind in KINDS {
            match has_rule {
                true => rule(&mut client, kind, "assigned_to => 'cleo'")?,
                false => {
                    run(&mut client, &format!("SELECT orchestrator.drop_decision_rule('{kind}')"))?
                }
            }
        }
        for level in LEVELS {
            for kind in KINDS {
                for round in 0..rounds() {
                    let about = format!("{level} {kind} {has_rule} {round}");
                    let id = asked(&mut client, kind, &about)?;
                    let calls = [claim(&id, "ada"), answer(&id, "approve", "bea")];
                    let outcomes = meet(&database, level, &calls)?;
                    assert_one_of_both(&mut client, &id, &outcomes[0], &outcomes[1], &about)?;
                }
            }
        }
    }
    Ok(())
}

/// Makes two calls, the second while the transaction of the first is open, and ends that one when the second call
/// waits or has ended.
fn overlap(
    database: &Database,
    first: &str,
    second: &str,
) -> Result<(Result<String, Error>, Result<String, Error>)> {
    const WAITING: &str = "SELECT (count(*) > 0)::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut watcher = database.client()?;
    let (mut early, mut late) = (database.client()?, database.client()?);
    early.batch_execute("BEGIN")?;
    let outcome = value(&mut early, first);
    let has_ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let has_ended = &has_ended;
        let thread = scope.spawn(move || {
            let outcome = value(&mut late, second);
            has_ended.store(true, Ordering::SeqCst);
            outcome
        });
        wait_until("the second call waits or ends", || {
            Ok(has_ended.load(Ordering::SeqCst) || text(&mut watcher, WAITING)? == "true")
        })?;
        early.batch_execute("COMMIT")?;
        Ok((outcome, thread.join().expect("the thread ends")))
    })
}

/// The same for a gate that has neither a run nor terms, in both orders.
#[test]
fn a_claim_of_a_gate_without_a_run_excludes_the_answer_of_another() -> Result<()> {
    let (database, mut client) = prepared("claim_alone")?;
    for is_claim_first in [true, false] {
        let id = text(&mut client, ALONE)?;
        let (claims, decides) = (claim(&id, "ada"), answer(&id, "approve", "bea"));
        let (claimed, decided) = match is_claim_first {
            true => overlap(&database, &claims, &decides)?,
            false => {
                let (decided, claimed) = overlap(&database, &decides, &claims)?;
                (claimed, decided)
            }
        };
        let about = format!("claim first: {is_claim_first}");
        assert_one_of_both(&mut client, &id, &claimed, &decided, &about)?;
    }
    Ok(())
}

/// Nobody is told that a question is assigned which is decided already.
#[test]
fn a_gate_without_a_run_is_not_assigned_after_its_answer() -> Result<()> {
    let (database, mut client) = prepared("assign_alone")?;
    let id = text(&mut client, ALONE)?;
    let assign = format!("SELECT (orchestrator.assign_decision('{id}', 'dora', 'ada')).status");
    let (decided, assigned) = overlap(&database, &answer(&id, "approve", "bea"), &assign)?;
    assert_eq!(decided.ok().as_deref(), Some("approved"));
    assert_eq!(assigned.map_err(|error| code_of(&error)), Err("55000".to_owned()));
    Ok(())
}

#[test]
fn of_claims_at_once_one_holds() -> Result<()> {
    let (database, mut client) = prepared("claim_claim")?;
    for level in LEVELS {
        for round in 0..rounds() * 2 {
            if round == rounds() {
                rule(&mut client, "gate", "assigned_to => 'cleo'")?;
            }
            for is_alone in [true, false] {
                let about = format!("{level} {round} {is_alone}");
                let id = match is_alone {
                    true => text(&mut client, ALONE)?,
                    false => asked(&mut client, "gate", &about)?,
                };
                let outcomes = meet(&database, level, &[claim(&id, "ada"), claim(&id, "bea")])?;
                assert_eq!(codes(&outcomes), ["55000"], "{about}: {outcomes:?}");
                let winner = if outcomes[0].is_ok() { "ada" } else { "bea" };
                assert_eq!(holder(&mut client, &id)?, winner, "{about}");
            }
        }
        run(&mut client, "SELECT orchestrator.drop_decision_rule('gate')")?;
    }
    Ok(())
}

/// Rule `n` says `n` in each of its parts. Questions of two types are asked by function and by INSERT, while the
/// rule for every type and the one for a type change and go.
#[test]
fn the_terms_of_a_question_are_one_whole_rule_or_none() -> Result<()> {
    let (database, mut client) = prepared("terms_whole")?;
    let set = |subtype: &str, n: usize| {
        format!(
            "SELECT kind FROM orchestrator.set_decision_rule('gate', {subtype}, make_interval(hours => {n}), 'escalate', 'e {n}', {n}, {n}, {}, 'a {n}')",
            n.is_multiple_of(2)
        )
    };
    for level in LEVELS {
        for round in 0..rounds() {
            let calls: Vec<String> = (0..CONNECTIONS)
                .map(|caller| {
                    let n = 1 + caller + round * CONNECTIONS;
                    match caller % 8 {
                        0 => set("NULL", 2 * n),
                        // A rule for a type is odd, so that it cannot be taken for the one for every type.
                        1 => set("'high_risk'", 2 * n + 1),
                        2 => "SELECT orchestrator.drop_decision_rule('gate')::text".to_owned(),
                        3 => "SELECT orchestrator.drop_decision_rule('gate', 'high_risk')::text".to_owned(),
                        4 => format!("SELECT orchestrator.open_gate('{PROJECT}', 'dev', 'manual', 'm')::text"),
                        5 => format!("SELECT orchestrator.open_gate('{PROJECT}', 'dev', 'high_risk', 'h')::text"),
                        6 => format!("INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason) VALUES ('{PROJECT}', 'dev', 'manual', 'm') RETURNING id::text"),
                        _ => format!(
                            "WITH many AS (INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason) \
                             SELECT '{PROJECT}', 'dev', (ARRAY['manual', 'high_risk'])[1 + n % 2], 'many' FROM generate_series(1, 20) AS n RETURNING id) SELECT count(*)::text FROM many"
                        ),
                    }
                })
                .collect();
            all(meet(&database, level, &calls)?)?;
        }
    }
    let mixed = "SELECT coalesce(string_agg(t::text, '; '), 'none') FROM orchestrator.decision_terms AS t \
                 JOIN orchestrator.gates AS g ON g.id = t.decision_id \
                 WHERE (t.due_at - g.created_at, t.on_timeout, t.escalate_to, t.rejections_needed, t.requester_may_decide, t.assigned_to) \
                       IS DISTINCT FROM (make_interval(hours => t.approvals_needed), 'escalate', 'e ' || t.approvals_needed, t.approvals_needed, t.approvals_needed % 2 = 0, 'a ' || t.approvals_needed)";
    assert_eq!(text(&mut client, mixed)?, "none");
    let of_another_type = "SELECT count(*)::text FROM orchestrator.decision_terms AS t JOIN orchestrator.gates AS g ON g.id = t.decision_id \
                           WHERE g.gate_type = 'manual' AND t.approvals_needed % 2 = 1";
    assert_eq!(text(&mut client, of_another_type)?, "0");
    // The test would prove nothing if no question had terms, or all of them.
    let kinds = "SELECT (bool_or(t.decision_id IS NULL) AND bool_or(t.approvals_needed % 2 = 0) AND bool_or(t.approvals_needed % 2 = 1))::text \
                 FROM orchestrator.gates AS g LEFT JOIN orchestrator.decision_terms AS t ON t.decision_id = g.id";
    assert_eq!(text(&mut client, kinds)?, "true");
    Ok(())
}

/// The open questions about a run.
fn left(client: &mut Client, thread: &str) -> Result<String> {
    text(
        client,
        &format!(
            "SELECT coalesce(string_agg(kind, ' ' ORDER BY kind), 'none') FROM orchestrator.pending_decisions WHERE thread_id = '{thread}'"
        ),
    )
}

fn kill(thread: &str) -> String {
    format!("SELECT phase FROM orchestrator.kill_run('{thread}', 'stop')")
}

/// Questions are asked and answered while their run is killed.
fn kill_meets(kinds: &[&str], name: &str) -> Result<()> {
    let (database, mut client) = prepared(name)?;
    for has_rules in [false, true] {
        if has_rules {
            for kind in KINDS {
                rule(&mut client, kind, "approvals_needed => 2")?;
            }
        }
        for level in LEVELS {
            for round in 0..rounds() {
                let about = format!("{level} {has_rules} {round}");
                start(&mut client, &about)?;
                let mut calls = vec![kill(&about)];
                for kind in KINDS {
                    let id = text(&mut client, &ask(kind, &about, "may I?"))?;
                    calls.push(answer(&id, "approve", "ada"));
                }
                calls.extend(kinds.iter().map(|kind| ask(kind, &about, "and now?")));
                let outcomes = meet(&database, level, &calls)?;
                let refused = codes(&outcomes);
                assert!(refused.iter().all(|code| code == "55000"), "{about}: {outcomes:?}");
                assert_eq!(outcomes[0].as_deref().ok(), Some("failed"), "{about}: {outcomes:?}");
                assert_eq!(left(&mut client, &about)?, "none", "{about}: {outcomes:?}");
            }
        }
    }
    assert_eq!(differences(&mut client)?, [""; 0]);
    Ok(())
}

#[test]
fn a_killed_run_leaves_no_review_and_no_gate() -> Result<()> {
    kill_meets(&["review", "gate"], "kill_questions")
}

/// An approval that is requested after the end of the run is refused, or does not wait.
#[test]
fn a_killed_run_leaves_no_approval() -> Result<()> {
    kill_meets(&["approval"], "kill_approvals")
}

/// A task of a run, and its id.
fn task(client: &mut Client, kind: &str, thread: &str) -> Result<String> {
    start(client, thread)?;
    text(
        client,
        &format!(
            "SELECT task_id::text FROM orchestrator.create_task('{kind}', 't', thread_id => '{thread}')"
        ),
    )
}

fn request(task: &str) -> String {
    format!("SELECT orchestrator.request_approval('{task}', 'boss')::text")
}

fn claim_tasks(kind: &str) -> String {
    format!("SELECT count(*)::text FROM orchestrator.claim_tasks('w', '{{{kind}}}')")
}

fn of_task(client: &mut Client, id: &str, column: &str) -> Result<String> {
    text(client, &format!("SELECT {column}::text FROM orchestrator.tasks WHERE id = '{id}'"))
}

/// A worker that claims after the request has committed does not get the task, whatever it did before.
#[test]
fn no_task_is_claimed_after_its_approval_was_requested() -> Result<()> {
    let (database, mut client) = prepared("held_request")?;
    let mut held = 0;
    for level in LEVELS {
        for round in 0..rounds() * 4 {
            let kind = format!("k {level} {round}");
            let id = task(&mut client, &kind, &kind)?;
            let (is_requested, is_late) = (AtomicBool::new(false), AtomicBool::new(false));
            let clients = (0..4).map(|_| database.client()).collect::<Result<Vec<_>>>()?;
            let barrier = Barrier::new(clients.len());
            thread::scope(|scope| -> Result<()> {
                let mut threads = Vec::new();
                for (caller, mut client) in clients.into_iter().enumerate() {
                    let (barrier, is_requested, is_late) = (&barrier, &is_requested, &is_late);
                    let (id, kind) = (&id, &kind);
                    threads.push(scope.spawn(move || -> Result<(), Error> {
                        client.batch_execute(&format!(
                            "SET default_transaction_isolation = '{level}'; SELECT 1"
                        ))?;
                        barrier.wait();
                        let mut attempts = 0;
                        loop {
                            let was_requested = is_requested.load(Ordering::SeqCst);
                            if caller == 0 {
                                let outcome = value(&mut client, &request(id));
                                if outcome.as_ref().is_err_and(|_| is_to_be_tried_again(&outcome)) {
                                    continue;
                                }
                                is_requested.store(true, Ordering::SeqCst);
                                return outcome.map(drop);
                            }
                            let outcome = value(&mut client, &claim_tasks(kind));
                            match &outcome {
                                Ok(taken) if taken == "1" => {
                                    is_late.fetch_or(was_requested, Ordering::SeqCst);
                                    return Ok(());
                                }
                                Err(_) if !is_to_be_tried_again(&outcome) => {
                                    return outcome.map(drop);
                                }
                                _ => {}
                            }
                            attempts += usize::from(was_requested);
                            if attempts > 2 {
                                return Ok(());
                            }
                        }
                    }));
                }
                for thread in threads {
                    thread.join().expect("the thread ends")?;
                }
                Ok(())
            })?;
            assert!(!is_late.load(Ordering::SeqCst), "{kind}: claimed after the request");
            match of_task(&mut client, &id, "status")?.as_str() {
                "pending" => held += 1,
                _ => {
                    let complete = format!("SELECT orchestrator.complete_task('{id}', 'w')");
                    assert_eq!(code(&mut client, &complete), "55000", "{kind}");
                }
            }
            assert_eq!(differences(&mut client)?, [""; 0], "{kind}");
        }
    }
    println!("the request came first {held} times");
    Ok(())
}

/// The snapshot of the worker is older than the request.
#[test]
fn an_old_snapshot_claims_and_begins_no_task_that_waits_for_an_approval() -> Result<()> {
    let (database, mut client) = prepared("held_snapshot")?;
    for call in [
        claim_tasks("k"),
        "UPDATE orchestrator.tasks SET status = 'running' WHERE task_type = 'k' RETURNING status"
            .to_owned(),
        "UPDATE orchestrator.tasks SET title = 'other' WHERE task_type = 'k' RETURNING title"
            .to_owned(),
    ] {
        run(&mut client, "DELETE FROM orchestrator.approvals; DELETE FROM orchestrator.tasks")?;
        let id = text(&mut client, "SELECT task_id::text FROM orchestrator.create_task('k', 't')")?;
        let mut old = database.client()?;
        old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM pg_class")?;
        run(&mut client, &request(&id))?;
        let outcome = value(&mut old, &call).map_err(|error| code_of(&error));
        assert!(
            outcome == Ok("0".to_owned()) || outcome == Err("40001".to_owned()),
            "{call}: {outcome:?}"
        );
        old.batch_execute("ROLLBACK")?;
    }
    Ok(())
}

/// A worker holds the task already, or comes while the request is open: the request waits for it, or it passes by.
#[test]
fn a_request_and_a_claim_wait_for_each_other() -> Result<()> {
    let (database, mut client) = prepared("held_order")?;
    let first = task(&mut client, "first", "first")?;
    let requested = cross(&database, &claim_tasks("first"), &[request(&first)])?.remove(0);
    assert!(requested.is_ok(), "{requested:?}");
    assert_eq!(of_task(&mut client, &first, "status")?, "running");
    let complete = format!("SELECT orchestrator.complete_task('{first}', 'w')");
    assert_eq!(code(&mut client, &complete), "55000", "it waits for the answer");
    let second = task(&mut client, "second", "second")?;
    let mut other = database.client()?;
    let mut transaction = other.transaction()?;
    transaction.batch_execute(&request(&second))?;
    assert_eq!(text(&mut client, &claim_tasks("second"))?, "0", "the request is not committed");
    transaction.commit()?;
    assert_eq!(text(&mut client, &claim_tasks("second"))?, "0", "the request is committed");
    assert_eq!(differences(&mut client)?, [""; 0]);
    Ok(())
}

/// Whether the queue offers a task.
fn is_ready(client: &mut Client, id: &str) -> Result<String> {
    text(
        client,
        &format!(
            "SELECT coalesce((SELECT ready::text FROM orchestrator.queued_tasks WHERE task_id = '{id}'), 'gone')"
        ),
    )
}

/// What keeps a task from its worker besides the approval.
const OF_THE_RUN: [&str; 2] = ["nothing", "pause"];
const OF_A_WORKFLOW: [&str; 2] = ["workflow", "both"];

/// Keeps a task from its worker. Returns the calls that end this.
fn obstruct(client: &mut Client, obstacle: &str, thread: &str, id: &str) -> Result<Vec<String>> {
    let mut ends = Vec::new();
    if obstacle != "nothing" && obstacle != "workflow" {
        run(client, &format!("SELECT orchestrator.pause_run('{thread}', 'wait')"))?;
        ends.push(format!("SELECT gate_status FROM orchestrator.resume_run('{thread}')"));
    }
    if obstacle == "workflow" || obstacle == "both" {
        run(
            client,
            &format!(
                "INSERT INTO orchestrator.workflows (name, definition) VALUES ('{thread}', '{{}}'); \
                 INSERT INTO orchestrator.workflow_tasks (workflow_id, task_id) SELECT id, '{id}' FROM orchestrator.workflows WHERE name = '{thread}'"
            ),
        )?;
        ends.push(format!("SELECT (orchestrator.start_workflow(id)).status FROM orchestrator.workflows WHERE name = '{thread}'"));
    }
    Ok(ends)
}

/// An approval is given or refused while workers claim and the other obstacles end.
fn answer_meets(obstacles: &[&str], name: &str) -> Result<()> {
    let (database, mut client) = prepared(name)?;
    for level in LEVELS {
        for obstacle in obstacles {
            for round in 0..rounds() {
                let is_approved = round % 2 == 0;
                let kind = format!("{level} {obstacle} {round}");
                let id = task(&mut client, &kind, &kind)?;
                let ends = obstruct(&mut client, obstacle, &kind, &id)?;
                let approval = text(&mut client, &request(&id))?;
                let word = if is_approved { "approve" } else { "reject" };
                let mut calls = vec![answer(&approval, word, "ada")];
                calls.extend(ends.iter().cloned());
                calls.extend([claim_tasks(&kind), claim_tasks(&kind)]);
                let outcomes = meet(&database, level, &calls)?;
                assert!(outcomes[0].is_ok(), "{kind}: {outcomes:?}");
                // A pause is not lifted while the approval is open.
                assert!(
                    codes(&outcomes).iter().all(|code| code == "55000"),
                    "{kind}: {outcomes:?}"
                );
                for (end, outcome) in ends.iter().zip(&outcomes[1..]) {
                    if outcome.is_err() {
                        run(&mut client, end)?;
                    }
                }
                assert_eq!(differences(&mut client)?, [""; 0], "{kind}: {outcomes:?}");
                match (is_approved, of_task(&mut client, &id, "status")?.as_str()) {
                    (true, "running") => {}
                    (true, _) => {
                        assert_eq!(is_ready(&mut client, &id)?, "true", "{kind}: {outcomes:?}");
                        assert_eq!(text(&mut client, &claim_tasks(&kind))?, "1", "{kind}");
                    }
                    (false, found) => {
                        assert_eq!(found, "pending", "{kind}: {outcomes:?}");
                        assert_eq!(text(&mut client, &claim_tasks(&kind))?, "0", "{kind}");
                    }
                }
            }
        }
    }
    Ok(())
}

#[test]
fn an_approved_task_is_claimed_though_its_run_was_resumed_at_once() -> Result<()> {
    answer_meets(&OF_THE_RUN, "held_answer_run")
}

#[test]
fn an_approved_task_is_claimed_though_its_workflow_was_started_at_once() -> Result<()> {
    answer_meets(&OF_A_WORKFLOW, "held_answer_flow")
}

/// An approval is requested while the other obstacles end. It holds the task until it is given. The queue may offer the
/// task: a claim looks again.
fn request_meets(obstacles: &[&str], name: &str) -> Result<()> {
    let (database, mut client) = prepared(name)?;
    for level in LEVELS {
        for obstacle in obstacles {
            for round in 0..rounds() {
                let kind = format!("{level} {obstacle} {round}");
                let id = task(&mut client, &kind, &kind)?;
                let ends = obstruct(&mut client, obstacle, &kind, &id)?;
                let mut calls = vec![request(&id)];
                calls.extend(ends.iter().cloned());
                let outcomes = meet(&database, level, &calls)?;
                assert!(
                    codes(&outcomes).iter().all(|code| code == "55000"),
                    "{kind}: {outcomes:?}"
                );
                let approval = outcomes[0].as_ref().expect("the approval is requested").clone();
                assert_eq!(differences(&mut client)?, [""; 0], "{kind}: {outcomes:?}");
                assert_eq!(text(&mut client, &claim_tasks(&kind))?, "0", "{kind}");
                run(&mut client, &answer(&approval, "approve", "ada"))?;
                for (end, outcome) in ends.iter().zip(&outcomes[1..]) {
                    if outcome.is_err() {
                        run(&mut client, end)?;
                    }
                }
                assert_eq!(differences(&mut client)?, [""; 0], "{kind}: {outcomes:?}");
                assert_eq!(text(&mut client, &claim_tasks(&kind))?, "1", "{kind}: {outcomes:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_requested_approval_holds_its_task_though_its_run_was_resumed_at_once() -> Result<()> {
    request_meets(&OF_THE_RUN, "held_asked_run")
}

#[test]
fn a_requested_approval_holds_its_task_though_its_workflow_was_started_at_once() -> Result<()> {
    request_meets(&OF_A_WORKFLOW, "held_asked_flow")
}

/// What ends a task that waits for an approval. The task of all but the first runs already.
const TASK_ENDS: [(&str, &str); 3] = [
    ("cancel", "SELECT (orchestrator.cancel_task('{id}', 'why')).status"),
    ("fail", "SELECT (orchestrator.fail_task('{id}', 'w', 'why', final => true)).status"),
    ("reclaim", "SELECT orchestrator.reclaim_expired_tasks()::text"),
];

/// A task in the state that the end needs, and its id.
fn about_to_end(client: &mut Client, end: &str, kind: &str) -> Result<String> {
    let id = task(client, kind, kind)?;
    if end != "cancel" {
        run(client, &format!("UPDATE orchestrator.tasks SET max_attempts = 1 WHERE id = '{id}'"))?;
        assert_eq!(text(client, &claim_tasks(kind))?, "1");
    }
    if end == "reclaim" {
        run(
            client,
            &format!(
                "UPDATE orchestrator.task_attempts SET lease_expires_at = claimed_at WHERE task_id = '{id}'"
            ),
        )?;
    }
    Ok(id)
}

/// A task that has ended has no open approval, its run waits for nothing, and the trail has one end of the approval.
fn assert_ended(client: &mut Client, id: &str, approval: &str, about: &str) -> Result<()> {
    let status_now = of_task(client, id, "status")?;
    assert!(["cancelled", "failed"].contains(&status_now.as_str()), "{about}: {status_now}");
    let open = status(client, approval)?;
    assert!(["approved", "withdrawn"].contains(&open.as_str()), "{about}: {open}");
    assert_eq!(ends(client, approval)?, "1", "{about}");
    assert_eq!(left(client, about)?, "none", "{about}");
    let waits = text(
        client,
        &format!(
            "SELECT requires_human_review::text FROM orchestrator.orchestrator_runs WHERE thread_id = '{about}'"
        ),
    )?;
    assert_eq!(waits, "false", "{about}");
    assert_eq!(differences(client)?, [""; 0], "{about}");
    Ok(())
}

/// Tasks end while their approval is given.
fn end_meets(ends: &[(&str, &str)], name: &str) -> Result<()> {
    let (database, mut client) = prepared(name)?;
    for has_rule in [false, true] {
        if has_rule {
            rule(&mut client, "approval", "rejections_needed => 2")?;
        }
        for level in LEVELS {
            for (end, call) in ends {
                for round in 0..rounds() {
                    let about = format!("{level} {end} {has_rule} {round}");
                    let id = about_to_end(&mut client, end, &about)?;
                    let approval = text(&mut client, &request(&id))?;
                    let calls = [
                        call.replace("{id}", &id),
                        format!(
                            "SELECT (orchestrator.resolve_approval('{approval}', 'approved', 'boss')).status"
                        ),
                    ];
                    let outcomes = meet(&database, level, &calls)?;
                    // The answer is late, or it is first; nothing else is refused.
                    assert!(outcomes[0].is_ok(), "{about}: {outcomes:?}");
                    assert!(
                        codes(&outcomes).iter().all(|code| code == "55000"),
                        "{about}: {outcomes:?}"
                    );
                    if *end == "reclaim" && outcomes[0].as_deref().ok() == Some("0") {
                        // It passed by a task that was locked.
                        run(&mut client, call)?;
                    }
                    assert_ended(&mut client, &id, &approval, &about)?;
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_task_is_cancelled_and_fails_beside_its_approval() -> Result<()> {
    end_meets(&TASK_ENDS[..2], "end_approval")
}

#[test]
fn a_task_is_reclaimed_beside_its_approval() -> Result<()> {
    end_meets(&TASK_ENDS[2..], "end_reclaim")
}

/// The end of a task has locked the task, and waits for the approval; the answer comes then. A claim of another
/// worker reclaims the task, too.
#[test]
fn the_end_of_a_task_and_its_approval_lock_in_one_order() -> Result<()> {
    let (database, mut client) = prepared("end_order")?;
    let claims =
        ("reclaim", "SELECT count(*)::text FROM orchestrator.claim_tasks('v', '{nothing}')");
    let maintains = ("reclaim", "SELECT count(*)::text FROM orchestrator.run_maintenance()");
    let mut deadlocks = Vec::new();
    for (round, (end, call)) in TASK_ENDS.into_iter().chain([claims, maintains]).enumerate() {
        let about = format!("{end} {round}");
        let id = about_to_end(&mut client, end, &about)?;
        let approval = text(&mut client, &request(&id))?;
        let hold =
            format!("SELECT FROM orchestrator.approvals WHERE id = '{approval}' FOR NO KEY UPDATE");
        let calls = [call.replace("{id}", &id), answer(&approval, "approve", "ada")];
        let outcomes = cross(&database, &hold, &calls)?;
        if codes(&outcomes).iter().any(|code| code == "40P01") {
            deadlocks.push(call);
            continue;
        }
        assert_eq!(codes(&outcomes), ["55000"], "{about}: {outcomes:?}");
        assert_ended(&mut client, &id, &approval, &about)?;
    }
    assert_eq!(deadlocks, [""; 0], "calls that lock the task before its run");
    Ok(())
}

/// Maintenance gives a task back, and then comes to the questions that are due. It waits at the first of them; the
/// second one is about the run of the task, whose approval is given.
#[test]
fn maintenance_and_an_answer_lock_in_one_order() -> Result<()> {
    let (database, mut client) = prepared("maintenance_order")?;
    let id = task(&mut client, "given back", "given back")?;
    run(&mut client, &format!("UPDATE orchestrator.tasks SET max_attempts = 3 WHERE id = '{id}'"))?;
    assert_eq!(text(&mut client, &claim_tasks("given back"))?, "1");
    run(&mut client, "UPDATE orchestrator.task_attempts SET lease_expires_at = claimed_at")?;
    let approval = text(&mut client, &request(&id))?;
    rule(&mut client, "review", "respond_within => '1 hour', on_timeout => 'approve'")?;
    let first = asked(&mut client, "review", "due first")?;
    let second = text(&mut client, &ask("review", "given back", "may I?"))?;
    run(
        &mut client,
        &format!(
            "UPDATE orchestrator.decision_terms SET due_at = CASE WHEN decision_id = '{first}' THEN '2026-01-01'::timestamptz ELSE '2026-01-02' END"
        ),
    )?;
    let hold = "SELECT FROM orchestrator.orchestrator_runs WHERE thread_id = 'due first' FOR NO KEY UPDATE";
    let maintain = "SELECT count(*)::text FROM orchestrator.run_maintenance()".to_owned();
    let outcomes = cross(&database, hold, &[maintain, answer(&approval, "approve", "ada")])?;
    assert_eq!(codes(&outcomes), [""; 0], "{outcomes:?}");
    for question in [first, second, approval] {
        assert_eq!(status(&mut client, &question)?, "approved");
    }
    assert_eq!(text(&mut client, &claim_tasks("given back"))?, "1");
    Ok(())
}

/// An approval is requested while its task ends: it is refused, or withdrawn by the end.
#[test]
fn a_task_that_ends_leaves_no_approval() -> Result<()> {
    let (database, mut client) = prepared("end_request")?;
    for level in LEVELS {
        for (end, call) in TASK_ENDS {
            for round in 0..rounds() {
                let about = format!("{level} {end} {round}");
                let id = about_to_end(&mut client, end, &about)?;
                let calls = [call.replace("{id}", &id), request(&id)];
                let outcomes = meet(&database, level, &calls)?;
                assert!(
                    codes(&outcomes).iter().all(|code| code == "55000"),
                    "{about}: {outcomes:?}"
                );
                if of_task(&mut client, &id, "status")? == "running" {
                    // It passed by a task that was locked.
                    run(&mut client, call)?;
                }
                assert_eq!(left(&mut client, &about)?, "none", "{about}: {outcomes:?}");
            }
        }
    }
    Ok(())
}

/// Two runs with a review each, due in the other order than that in which `resolve_reviews` locks runs. The deadline
/// waits for the run that is due first, and the list of a person has the other one already.
#[test]
fn a_deadline_and_a_list_of_reviews_lock_runs_in_one_order() -> Result<()> {
    let (database, mut client) = prepared("deadline_list")?;
    rule(&mut client, "review", "respond_within => '1 hour', on_timeout => 'approve'")?;
    let first = asked(&mut client, "review", "first")?;
    let second = asked(&mut client, "review", "second")?;
    run(
        &mut client,
        &format!(
            "UPDATE orchestrator.decision_terms SET due_at = CASE WHEN decision_id = '{second}' THEN '2026-01-01'::timestamptz ELSE '2026-01-02' END"
        ),
    )?;
    let hold =
        "SELECT FROM orchestrator.orchestrator_runs WHERE thread_id = 'second' FOR NO KEY UPDATE";
    let list = format!(
        "SELECT string_agg(outcome, ' ') FROM orchestrator.resolve_reviews('{{{first},{second}}}', 'approved', 'ada')"
    );
    let outcomes = cross(&database, hold, &[EXPIRE.to_owned(), list])?;
    assert_eq!(codes(&outcomes), [""; 0], "{outcomes:?}");
    for id in [first, second] {
        assert_eq!(status(&mut client, &id)?, "approved");
        assert_eq!(ends(&mut client, &id)?, "1");
    }
    Ok(())
}

/// A transaction that keeps its snapshot does not count by it.
#[test]
fn a_vote_with_an_old_snapshot_is_cast_again() -> Result<()> {
    let (database, mut client) = prepared("vote_snapshot")?;
    let shared = "SELECT orchestrator.set_configuration('shared_logins', session_user::text)";
    run(&mut client, shared)?;
    let vote = |id: &str, word: &str, person: &str| {
        format!(
            "SELECT set_config('request.jwt.claims', '{{\"sub\": \"{person}\"}}', false); {}",
            answer(id, word, person)
        )
    };
    for kind in KINDS {
        rule(&mut client, kind, "approvals_needed => 2, rejections_needed => 2")?;
        for (before, then) in [("approve", "approve"), ("reject", "approve"), ("approve", "reject")]
        {
            let about = format!("{kind} {before} {then}");
            let id = asked(&mut client, kind, &about)?;
            must_try_again(&database, &vote(&id, before, "ada"), &vote(&id, then, "bea"))?;
            assert_eq!(status(&mut client, &id)?, "pending", "{about}");
            let kept = if before == "approve" { "1 1 1" } else { "1 1 0" };
            assert_eq!(votes(&mut client, &id)?, kept, "{about}: one vote was cast");
            // The first vote changes, so that the second one no longer decides.
            let changed = if before == "approve" { "reject" } else { "approve" };
            let mut old = database.client()?;
            old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM pg_class")?;
            run(&mut client, &vote(&id, changed, "ada"))?;
            assert_eq!(code(&mut old, &vote(&id, before, "bea")), "40001", "{about}");
            old.batch_execute("ROLLBACK")?;
            assert_eq!(status(&mut client, &id)?, "pending", "{about}");
            run(&mut client, &vote(&id, changed, "bea"))?;
            assert_ne!(status(&mut client, &id)?, "pending", "{about}: two agree");
        }
    }
    Ok(())
}

/// Ada takes her approval back while Bea gives the second one.
#[test]
fn a_vote_that_changes_is_counted_as_it_is() -> Result<()> {
    let (database, mut client) = prepared("vote_changed")?;
    let logins = reviewers(&database, &mut client, 2)?;
    for level in LEVELS {
        for kind in KINDS {
            rule(&mut client, kind, "approvals_needed => 2, rejections_needed => 2")?;
            for round in 0..rounds() {
                let about = format!("{level} {kind} {round}");
                let id = asked(&mut client, kind, &about)?;
                let mut first = database.client_as(&logins[0])?;
                assert_eq!(value(&mut first, &answer(&id, "approve", "ada"))?, "pending");
                let ballot = |login: &String, call: String| Ballot {
                    login: login.clone(),
                    settings: "SELECT 1".to_owned(),
                    call,
                };
                let ballots = [
                    ballot(&logins[0], answer(&id, "reject", "ada")),
                    ballot(&logins[1], answer(&id, "approve", "bea")),
                ];
                let outcomes = people_meet(&database, level, &ballots)?;
                let given = outcomes[1].as_deref().ok();
                let (changed, found, kept) = match given {
                    Some("approved") => (Some("55000".to_owned()), "approved", "2 2 2"),
                    _ => (None, "pending", "2 2 1"),
                };
                assert_eq!(given, Some(found), "{about}: {outcomes:?}");
                let code = outcomes[0].as_ref().err().map(code_of);
                assert_eq!(code, changed, "{about}: {outcomes:?}");
                assert_eq!(status(&mut client, &id)?, found, "{about}");
                assert_eq!(votes(&mut client, &id)?, kept, "{about}");
            }
        }
    }
    Ok(())
}

/// No event tells who asked a question that was inserted. A person with the name that stands for this did not ask it.
#[test]
fn nobody_is_the_unknown_one_who_asked() -> Result<()> {
    let (database, mut client) = prepared("vote_unknown")?;
    let gateway = roles::name(&database, "gateway");
    roles::make(&mut client, &gateway)?;
    roles::grant(&mut client, &gateway, "worker")?;
    run(
        &mut client,
        &format!("SELECT orchestrator.set_configuration('shared_logins', '{gateway}')"),
    )?;
    let id = text(
        &mut client,
        &format!(
            "INSERT INTO orchestrator.gates (project_id, agent_id, gate_type, reason) VALUES ('{PROJECT}', 'dev', 'manual', 'q') RETURNING id::text"
        ),
    )?;
    let withdraw = format!("SELECT (orchestrator.withdraw_decision('{id}', 'x', 'mine')).status");
    let mut person = database.client_as(&gateway)?;
    person.batch_execute("SET request.jwt.claims = '{\"sub\": \"unknown\"}'")?;
    assert_eq!(code(&mut person, &withdraw), "42501");
    run(&mut client, &claim(&id, "ada"))?;
    assert_eq!(code(&mut person, &withdraw), "42501", "a claim has given it terms");
    Ok(())
}

/// A person with a login who tries every way to be another one. Only a superuser changes its login.
#[test]
fn a_login_votes_once_whatever_it_sets() -> Result<()> {
    let (database, mut client) = prepared("vote_twice")?;
    let logins = reviewers(&database, &mut client, 3)?;
    let (eve, other) = (&logins[0], &logins[1]);
    run(&mut client, &format!("GRANT {other} TO {eve}"))?;
    for kind in KINDS {
        rule(&mut client, kind, "approvals_needed => 2")?;
        let id = asked(&mut client, kind, kind)?;
        for (settings, name) in [
            ("SELECT 1".to_owned(), "eve"),
            ("SELECT 1".to_owned(), other.as_str()),
            (format!("SET ROLE {other}"), "eve"),
            (format!("SET ROLE {other}"), other.as_str()),
            (format!("SET request.jwt.claims = '{{\"sub\": \"{other}\"}}'"), other.as_str()),
            (
                format!(
                    "SET ROLE {other}; SET request.jwt.claims = '{{\"sub\": \"x\", \"role\": \"{other}\"}}'"
                ),
                "x",
            ),
            (
                format!(
                    "SET application_name = '{other}'; SET search_path = pg_temp, orchestrator"
                ),
                "y",
            ),
        ] {
            let mut again = database.client_as(eve)?;
            again.batch_execute(&settings)?;
            let given = value(&mut again, &answer(&id, "approve", name))?;
            assert_eq!(given, "pending", "{kind}: {settings}, as {name}");
            let own = format!(
                "SELECT string_agg(voted_as, ' ') FROM orchestrator.decision_votes WHERE decision_id = '{id}'"
            );
            assert_eq!(text(&mut client, &own)?, *eve, "{kind}: {settings}, as {name}");
        }
        let mut again = database.client_as(eve)?;
        let become_other = format!("SET SESSION AUTHORIZATION {other}");
        assert_eq!(code(&mut again, &become_other), "42501");
        // Nobody may write for somebody else, not even who owns the table.
        let forged = format!(
            "INSERT INTO orchestrator.decision_votes (decision_id, voter, voted_as, vote) VALUES ('{id}', 'x', '{other}', 'approved')"
        );
        assert_eq!(code(&mut client, &forged), "42501", "{kind}");
        let moved = format!(
            "UPDATE orchestrator.decision_votes SET voted_as = '{other}' WHERE decision_id = '{id}'"
        );
        assert_eq!(code(&mut client, &moved), "42501", "{kind}");
        let counted = format!("DELETE FROM orchestrator.decision_votes WHERE decision_id = '{id}'");
        assert_eq!(code(&mut client, &counted), "42501", "{kind}");
        assert_eq!(ends(&mut client, &id)?, "0", "{kind}");
        let mut second = database.client_as(other)?;
        assert_eq!(value(&mut second, &answer(&id, "approve", "eve"))?, "approved", "{kind}");
    }
    Ok(())
}

/// The same for the one who asked and may not decide.
#[test]
fn who_asked_is_the_same_on_every_connection() -> Result<()> {
    let (database, mut client) = prepared("vote_own")?;
    rule(&mut client, "gate", "requester_may_decide => false")?;
    let logins = reviewers(&database, &mut client, 2)?;
    let agents = roles::name(&database, "agents");
    roles::make(&mut client, &agents)?;
    roles::grant(&mut client, &agents, "worker")?;
    let (eve, other) = (&logins[0], &logins[1]);
    run(&mut client, &format!("GRANT {agents} TO {eve}; GRANT {other} TO {eve}"))?;
    for asks_as in [eve, other] {
        // Who asks under another role has still asked by its login.
        let mut asker = database.client_as(eve)?;
        run(&mut client, &format!("GRANT {agents} TO {other}"))?;
        asker.batch_execute(&format!("SET ROLE {asks_as}"))?;
        let id = text(&mut asker, ALONE)?;
        for settings in [
            "SELECT 1".to_owned(),
            format!("SET ROLE {other}"),
            format!("SET request.jwt.claims = '{{\"sub\": \"{other}\"}}'"),
        ] {
            for word in ["approve", "reject", "request_changes"] {
                let mut again = database.client_as(eve)?;
                again.batch_execute(&settings)?;
                assert_eq!(code(&mut again, &answer(&id, word, "x")), "42501", "{settings} {word}");
            }
        }
        let mut second = database.client_as(other)?;
        assert_eq!(value(&mut second, &answer(&id, "approve", "eve"))?, "approved");
    }
    Ok(())
}

/// Behind a shared login a person is the subject, on any number of connections and under any role and name.
#[test]
fn a_subject_votes_once_on_any_number_of_connections() -> Result<()> {
    let (database, mut client) = prepared("vote_subject")?;
    rule(&mut client, "gate", "approvals_needed => 2")?;
    let logins = reviewers(&database, &mut client, 3)?;
    let gateway = &logins[0];
    run(
        &mut client,
        &format!(
            "GRANT {} TO {gateway}; GRANT {} TO {gateway}; SELECT orchestrator.set_configuration('shared_logins', '[\"{gateway}\"]', 'json')",
            logins[1], logins[2]
        ),
    )?;
    for level in LEVELS {
        let id = text(&mut client, ALONE)?;
        let ballots: Vec<Ballot> = (0..CONNECTIONS)
            .map(|caller| Ballot {
                login: gateway.clone(),
                settings: format!(
                    "SET ROLE {}; SET request.jwt.claims = '{{\"sub\": \"ada\", \"n\": {caller}}}'",
                    logins[caller % 3]
                ),
                call: answer(&id, "approve", &format!("name {caller}")),
            })
            .collect();
        let outcomes = all(people_meet(&database, level, &ballots)?)?;
        assert!(outcomes.iter().all(|given| given == "pending"), "{level}: {outcomes:?}");
        assert_eq!(votes(&mut client, &id)?, "1 1 1", "{level}");
        let mut second = database.client_as(gateway)?;
        second.batch_execute("SET request.jwt.claims = '{\"sub\": \"bea\"}'")?;
        assert_eq!(value(&mut second, &answer(&id, "approve", "name 0"))?, "approved", "{level}");
    }
    Ok(())
}
