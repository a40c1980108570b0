//! Budgets with many callers at once: no limit is passed, every sum is exact, and no two callers wait for each other in a
//! circle.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use anyhow::Result;
use postgres::error::SqlState;
use postgres::{Client, Error};
use support::Database;
use support::deadline::{self, wait_until};
use support::extension::{newest, walked_to};
use xtask::checks::cases;

use crate::meeting::{LEVELS, all, meet, text};
use crate::{many_at_once, must_try_again, until_one_waits};

fn run(client: &mut Client, sql: &str) -> Result<(), Error> {
    client.batch_execute(sql)
}

/// The windows whose sums differ from those of the reservations.
const WRONG: &str = "SELECT coalesce(string_agg(format('%s: spent %s, reserved %s', w.budget_id, w.spent, w.reserved), '; '), 'none') \
     FROM orchestrator.budget_windows AS w, LATERAL ( \
         SELECT coalesce(sum(h.amount) FILTER (WHERE h.state = 'held'), 0) AS held, coalesce(sum(h.actual), 0) AS settled \
         FROM orchestrator.budget_holds AS h WHERE h.budget_id = w.budget_id AND h.starts_at = w.starts_at) AS s \
     WHERE w.reserved <> s.held OR w.spent <> s.settled";

/// The windows of enforced budgets in which more is reserved and spent than allowed.
const PASSED: &str = "SELECT count(*)::text FROM orchestrator.budget_windows AS w JOIN orchestrator.budgets AS b ON b.id = w.budget_id \
     WHERE b.enforce AND w.spent + w.reserved > b.limit_usd + w.raised";

/// The windows of budgets about which more than one question is open.
const ASKED_TWICE: &str = "SELECT count(*)::text FROM (SELECT FROM orchestrator.gates WHERE status = 'pending' \
     GROUP BY context -> 'budget_id', context -> 'starts_at' HAVING count(*) > 1) AS d";

#[test]
fn of_four_calls_two_fit_and_one_question_is_asked() -> Result<()> {
    for (round, level) in LEVELS.into_iter().enumerate() {
        let database = walked_to(&format!("budget_four_{round}"), newest()?)?;
        let mut client = database.client()?;
        run(
            &mut client,
            "SELECT orchestrator.set_budget(5, 'total'); SELECT orchestrator.start_run('t', orchestrator.uuidv7(), 's'); \
             SELECT orchestrator.settle_budget(r.reservation_id, 4.752720) FROM orchestrator.reserve_budget(4.752720) AS r",
        )?;
        let calls: Vec<String> = (0..4)
            .map(|_| {
                "SELECT concat_ws(' ', r.admitted, CASE WHEN NOT r.admitted THEN trim_scale(r.available) END) \
                 FROM orchestrator.reserve_budget(0.0884, thread_id => 't') AS r"
                    .to_owned()
            })
            .collect();
        let mut answers = all(meet(&database, level, &calls)?)?;
        answers.sort();
        assert_eq!(answers, ["f 0.07048", "f 0.07048", "t", "t"], "{level}");
        let asked = "SELECT count(*)::text FROM orchestrator.human_review_queue";
        assert_eq!(text(&mut client, asked)?, "1", "{level}");
        assert_eq!(text(&mut client, PASSED)?, "0", "{level}");
    }
    Ok(())
}

/// Four projects, four agents and subjects, each with windows of two periods, and one over all of them.
const OVERLAPPING: &str = "\
    SELECT orchestrator.set_budget(2, p, ('0198c5a0-0000-7000-8000-00000000000' || n)::uuid) FROM generate_series(0, 3) AS n, unnest(ARRAY['day', 'total']) AS p; \
    SELECT orchestrator.set_budget(2, p, agent_id => 'agent ' || n) FROM generate_series(0, 3) AS n, unnest(ARRAY['day', 'total']) AS p; \
    SELECT orchestrator.set_budget(2, p, subject => 'subject ' || n) FROM generate_series(0, 2) AS n, unnest(ARRAY['day', 'total']) AS p; \
    SELECT orchestrator.set_budget(5, 'total'); \
    SELECT orchestrator.set_budget(1, 'week', enforce => false)";

/// One caller's way: it reserves, and then settles, releases or records, lets the reservation expire, or is ended in the
/// middle of a transaction. Everything is a function of the caller and the round.
fn act(database: &Database, caller: usize, round: usize, client: &mut Client) -> Result<(), Error> {
    let (project, agent, subject) = (caller % 4, (caller + round) % 4, round % 3);
    let scope = format!(
        "project_id => '0198c5a0-0000-7000-8000-00000000000{project}', agent_id => 'agent {agent}', subject => 'subject {subject}'"
    );
    let expires = round.is_multiple_of(5);
    let reserve = format!(
        "SELECT r.reservation_id::text FROM orchestrator.reserve_budget(0.0{}, {scope}, hold_for => '{}') AS r",
        round % 9 + 1,
        if expires { "1 microsecond" } else { "1 hour" },
    );
    if round % 7 == 6 {
        // The connection ends with the transaction open.
        let mut other = database.client().expect("a connection");
        return other.batch_execute(&format!("BEGIN; {reserve}"));
    }
    let reservation: Option<String> = client.query_one(&reserve, &[])?.try_get(0)?;
    let Some(reservation) = reservation.filter(|_| !expires) else { return Ok(()) };
    client.batch_execute(&match round % 4 {
        0 => format!("SELECT orchestrator.settle_budget('{reservation}', 0.005)"),
        1 => format!("SELECT orchestrator.release_budget('{reservation}')"),
        2 => format!(
            "BEGIN; SELECT orchestrator.settle_budget('{reservation}', 0.003); ROLLBACK; \
             SELECT orchestrator.record_llm_call('m', 1, 1, reported_cost => 0.004, {scope}, reservation_id => '{reservation}')"
        ),
        _ => return Ok(()),
    })
}

#[test]
fn eight_callers_over_24_overlapping_budgets_keep_every_limit() -> Result<()> {
    let database = walked_to("budget_overlap", newest()?)?;
    let mut client = database.client()?;
    run(&mut client, OVERLAPPING)?;
    assert_eq!(text(&mut client, "SELECT count(*)::text FROM orchestrator.budgets")?, "24");
    let outcomes = many_at_once(&database, 8, |caller, client| {
        run(client, &deadline::set("statement_timeout"))?;
        for round in 0..100 {
            act(&database, caller, round, client)?;
            let passed: String = client.query_one(PASSED, &[])?.try_get(0)?;
            assert_eq!(passed, "0", "a limit was passed in round {round}");
        }
        Ok(())
    })?;
    all(outcomes)?;
    assert_eq!(text(&mut client, WRONG)?, "none");
    assert_eq!(text(&mut client, ASKED_TWICE)?, "0");
    let refused = "SELECT (count(*) > 0)::text FROM orchestrator.gates";
    assert_eq!(text(&mut client, refused)?, "true", "the limits were met");
    Ok(())
}

/// The same, while the server ends one caller after another in the middle of a statement.
#[test]
fn callers_that_are_killed_leave_every_sum_exact() -> Result<()> {
    const VICTIM: &str = "SELECT coalesce(sum(pg_terminate_backend(a.pid)::int), 0) FROM ( \
         SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
             AND state = 'active' AND query LIKE '%\\_budget(%' ORDER BY random() LIMIT 1) AS a";
    let database = walked_to("budget_killed", newest()?)?;
    let mut client = database.client()?;
    run(&mut client, OVERLAPPING)?;
    let (rounds, is_done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (outcomes, killed) = thread::scope(|scope| -> Result<_> {
        let killer = scope.spawn(|| -> Result<i64> {
            let (mut killed, mut seen) = (0, 0);
            while !is_done.load(Ordering::SeqCst) {
                // Else nobody would get on.
                wait_until("some rounds of the callers", || {
                    let now = rounds.load(Ordering::SeqCst);
                    Ok(now >= seen + 4 || is_done.load(Ordering::SeqCst))
                })?;
                let more: i64 = client.query_one(VICTIM, &[])?.try_get(0)?;
                killed += more;
                if more > 0 {
                    seen = rounds.load(Ordering::SeqCst);
                }
            }
            Ok(killed)
        });
        let outcomes = many_at_once(&database, 8, |caller, client| {
            for round in 0..cases::number(100, 30) {
                while let Err(error) = act(&database, caller, round, client) {
                    if !is_killed(&error) {
                        return Err(error);
                    }
                    *client = database.client().expect("a connection");
                }
                rounds.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        });
        is_done.store(true, Ordering::SeqCst);
        Ok((outcomes?, killer.join().expect("the thread ends")?))
    })?;
    all(outcomes)?;
    println!("{killed} were killed");
    assert!(killed > cases::number(50, 10) as i64, "only {killed} were killed");
    assert_eq!(text(&mut client, WRONG)?, "none");
    assert_eq!(text(&mut client, PASSED)?, "0");
    assert_eq!(text(&mut client, ASKED_TWICE)?, "0");
    Ok(())
}

/// Whether the server ended the connection.
fn is_killed(error: &Error) -> bool {
    error.code().is_none_or(|code| *code == SqlState::ADMIN_SHUTDOWN)
}

#[test]
fn calls_recorded_at_once_without_a_reservation_add_up() -> Result<()> {
    let database = walked_to("budget_recorded", newest()?)?;
    let mut client = database.client()?;
    run(&mut client, OVERLAPPING)?;
    let outcomes = many_at_once(&database, 8, |caller, client| {
        for round in 0..25 {
            run(
                client,
                &format!(
                    "SELECT orchestrator.record_llm_call('m', 1, 1, reported_cost => 0.01, agent_id => 'agent {}', subject => 'subject {}'); \
                     SELECT orchestrator.record_token_usage('m', 1, 1, agent_id => 'agent 0')",
                    caller % 4,
                    round % 2
                ),
            )?;
        }
        Ok(())
    })?;
    all(outcomes)?;
    let sums = "SELECT string_agg(concat_ws(' ', b.agent_id, b.subject, trim_scale(s.spent)), ', ' ORDER BY b.id) \
         FROM orchestrator.budgets AS b, LATERAL (SELECT sum(w.spent) AS spent FROM orchestrator.budget_windows AS w WHERE w.budget_id = b.id) AS s \
         WHERE b.period IN ('total', 'week') AND s.spent > 0";
    let expected =
        "agent 0 0.5, agent 1 0.5, agent 2 0.5, agent 3 0.5, subject 0 1.04, subject 1 0.96, 2, 2";
    assert_eq!(text(&mut client, sums)?, expected);
    // Each window passes its limit once: the total of 2 is no more than the limit of 5, but that of the week is 1.
    let exceeded =
        "SELECT count(*)::text FROM orchestrator.audit_events WHERE event_type = 'budget_exceeded'";
    assert_eq!(text(&mut client, exceeded)?, "1");
    Ok(())
}

#[test]
fn a_reservation_settled_by_many_counts_once() -> Result<()> {
    for (round, level) in LEVELS.into_iter().enumerate() {
        let database = walked_to(&format!("budget_settle_{round}"), newest()?)?;
        let mut client = database.client()?;
        run(&mut client, "SELECT orchestrator.set_budget(5, 'day')")?;
        let id = text(
            &mut client,
            "SELECT r.reservation_id::text FROM orchestrator.reserve_budget(1) AS r",
        )?;
        let calls: Vec<String> = (0..16)
            .map(|caller| {
                format!(
                    "SELECT (orchestrator.settle_budget('{id}', 0.{})).actual::text",
                    1 + caller % 2
                )
            })
            .collect();
        let outcomes = meet(&database, level, &calls)?;
        let settled: Vec<&String> = outcomes.iter().flatten().collect();
        assert_eq!(settled.len(), 8, "{level}: {outcomes:?}");
        let codes: Vec<_> =
            outcomes.iter().filter_map(|outcome| outcome.as_ref().err()?.code().cloned()).collect();
        assert_eq!(codes, vec![SqlState::UNIQUE_VIOLATION; 8], "{level}");
        let spent =
            text(&mut client, "SELECT spent || ' ' || reserved FROM orchestrator.budget_windows")?;
        assert_eq!(spent, format!("{} 0", settled[0]), "{level}");
    }
    Ok(())
}

#[test]
fn a_reservation_repeated_by_many_is_made_once() -> Result<()> {
    for (round, level) in LEVELS.into_iter().enumerate() {
        let database = walked_to(&format!("budget_repeat_{round}"), newest()?)?;
        let mut client = database.client()?;
        run(
            &mut client,
            "SELECT orchestrator.set_budget(1, 'day'), orchestrator.set_budget(1, 'total')",
        )?;
        let calls: Vec<String> = (0..16)
            .map(|_| {
                "SELECT r.admitted::text FROM orchestrator.reserve_budget(0.7, reservation_id => '0198c5a0-0000-7000-8000-000000000007') AS r"
                    .to_owned()
            })
            .collect();
        assert_eq!(all(meet(&database, level, &calls)?)?, vec!["true"; 16], "{level}");
        let reserved = text(
            &mut client,
            "SELECT string_agg(reserved::text, ' ') FROM orchestrator.budget_windows",
        )?;
        assert_eq!(reserved, "0.7 0.7", "{level}");
    }
    Ok(())
}

#[test]
fn budgets_set_at_once_are_one() -> Result<()> {
    for (round, level) in LEVELS.into_iter().enumerate() {
        let database = walked_to(&format!("budget_set_{round}"), newest()?)?;
        let calls: Vec<String> = (1..=16)
            .map(|limit| {
                format!("SELECT (orchestrator.set_budget({limit}, 'day', subject => 'ada')).limit_usd::text")
            })
            .collect();
        all(meet(&database, level, &calls)?)?;
        let mut client = database.client()?;
        assert_eq!(
            text(&mut client, "SELECT count(*)::text FROM orchestrator.budgets")?,
            "1",
            "{level}"
        );
    }
    Ok(())
}

/// Bulk decisions and deadlines raise several windows. Reservations lock the same windows, in the order of the budgets.
#[test]
fn several_questions_approved_at_once_meet_reservations_without_a_deadlock() -> Result<()> {
    const PREPARED: &str = "SELECT orchestrator.set_budget(1, 'total', agent_id => 'a ' || n) FROM generate_series(0, 5) AS n; \
        SELECT orchestrator.set_decision_rule('gate', respond_within => '1 millisecond', on_timeout => 'approve')";
    let database = walked_to("budget_bulk", newest()?)?;
    let mut client = database.client()?;
    run(&mut client, PREPARED)?;
    let outcomes = many_at_once(&database, 8, |caller, client| {
        for round in 0..20 {
            // The questions are asked in another order than that of the budgets.
            for agent in [3, 1, 4, 0, 5, 2] {
                run(
                    client,
                    &format!(
                        "SELECT orchestrator.reserve_budget(1000000, agent_id => 'a {agent}')"
                    ),
                )?;
            }
            if (caller + round) % 4 == 0 {
                run(client, "SELECT orchestrator.expire_decisions()")?;
            } else {
                run(
                    client,
                    &format!(
                        "SELECT orchestrator.reserve_budget(0.01, agent_id => 'a {}')",
                        round % 6
                    ),
                )?;
            }
        }
        Ok(())
    })?;
    all(outcomes)?;
    let raised = "SELECT (sum(raised) > 0)::text FROM orchestrator.budget_windows";
    assert_eq!(text(&mut client, raised)?, "true");
    assert_eq!(text(&mut client, PASSED)?, "0");
    Ok(())
}

/// A call that waits for another one's new window does not fail because a budget is set meanwhile.
#[test]
fn a_budget_that_is_set_while_a_call_waits_is_no_error() -> Result<()> {
    let database = walked_to("budget_meanwhile", newest()?)?;
    let mut client = database.client()?;
    run(
        &mut client,
        "SELECT orchestrator.set_budget(9, 'total', subject => 's'); DELETE FROM orchestrator.budget_windows",
    )?;
    let mut first = database.client()?;
    run(&mut first, "BEGIN; SELECT orchestrator.reserve_budget(0.1, subject => 's')")?;
    thread::scope(|scope| -> Result<()> {
        let mut second = database.client()?;
        let recorded = scope.spawn(move || {
            second.batch_execute("SELECT orchestrator.record_llm_call('m', 1, 1, subject => 's', agent_id => 'a', reported_cost => 0.1)")
        });
        let waits = until_one_waits(&mut client);
        let set = run(&mut client, "SELECT orchestrator.set_budget(9, 'total', agent_id => 'a')");
        run(&mut first, "COMMIT")?;
        recorded.join().expect("the thread ends")?;
        waits?;
        Ok(set?)
    })?;
    let spent = "SELECT spent::text FROM orchestrator.budget_status WHERE subject = 's'";
    assert_eq!(text(&mut client, spent)?, "0.1");
    Ok(())
}

/// A transaction that keeps its snapshot does not go by a limit, a sum or a reservation of before.
#[test]
fn an_old_snapshot_passes_no_limit() -> Result<()> {
    let database = walked_to("budget_snapshot", newest()?)?;
    let mut client = database.client()?;
    run(
        &mut client,
        "SELECT orchestrator.set_budget(1, 'total', subject => 's'); SELECT orchestrator.set_budget(1, 'total'); SELECT orchestrator.reserve_budget(0.1, reservation_id => '0198c5a0-0000-7000-8000-000000000001')",
    )?;
    for (meanwhile, call) in [
        ("SELECT orchestrator.reserve_budget(0.5)", "SELECT orchestrator.reserve_budget(0.6)"),
        ("SELECT orchestrator.set_budget(0.7, 'total')", "SELECT orchestrator.reserve_budget(0.2)"),
        (
            "SELECT orchestrator.reserve_budget(0.01, reservation_id => '0198c5a0-0000-7000-8000-000000000002')",
            "SELECT orchestrator.settle_budget('0198c5a0-0000-7000-8000-000000000002', 1)",
        ),
        (
            "SELECT orchestrator.reserve_budget(0.01, reservation_id => '0198c5a0-0000-7000-8000-000000000003')",
            "SELECT orchestrator.release_budget('0198c5a0-0000-7000-8000-000000000003')",
        ),
        (
            "SELECT orchestrator.set_budget(0.1, 'total', subject => 's')",
            "SELECT orchestrator.reserve_budget(0.2, subject => 's')",
        ),
        (
            "SELECT orchestrator.raise_budget(id, '-infinity', 1, 'ada') FROM orchestrator.budgets WHERE subject IS NULL",
            "SELECT orchestrator.record_llm_call('m', 1, 1, reported_cost => 1)",
        ),
    ] {
        must_try_again(&database, meanwhile, call)?;
    }
    Ok(())
}
