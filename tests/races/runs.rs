//! Runs and reviews with many connections at once: one winner, sums that add up, and no deadlock.

use anyhow::Result;
use postgres::error::SqlState;
use postgres::{Client, Error};
use support::Database;
use support::extension::{newest, walked_to};
use xtask::checks::cases;

use crate::{at_once, many_at_once, must_try_again};

const PROJECT: &str = "0198c5a0-0000-7000-8000-000000000001";

/// Holds every run without a pause, so that the last answer releases it.
const HOLD: &str = "UPDATE orchestrator.orchestrator_runs SET gate_status = 'hold'";

fn text(client: &mut Client, sql: &str) -> Result<String, Error> {
    client.query_one(sql, &[])?.try_get(0)
}

fn number(client: &mut Client, sql: &str) -> Result<i64, Error> {
    client.query_one(sql, &[])?.try_get(0)
}

fn start(client: &mut Client, thread: &str) -> Result<(), Error> {
    client.batch_execute(&format!("SELECT orchestrator.start_run('{thread}', '{PROJECT}', 'S')"))
}

fn request(client: &mut Client, thread: &str) -> Result<String, Error> {
    text(
        client,
        &format!("SELECT orchestrator.request_review('{thread}', 'safety', 'look at it')::text"),
    )
}

/// A database with one run, in thread t.
fn with_run(name: &str) -> Result<(Database, Client)> {
    let database = walked_to(name, newest()?)?;
    let mut client = database.client()?;
    start(&mut client, "t")?;
    Ok((database, client))
}

fn all<T>(outcomes: Vec<Result<T, Error>>) -> Result<Vec<T>, Error> {
    outcomes.into_iter().collect()
}

#[test]
fn of_128_decisions_about_one_review_one_wins() -> Result<()> {
    const CALLERS: usize = 128;
    let (database, mut client) = with_run("decisions")?;
    client.batch_execute(HOLD)?;
    let review = request(&mut client, "t")?;
    let outcomes = many_at_once(&database, CALLERS, |caller, client| {
        let decision = ["approved", "rejected"][caller % 2];
        client.batch_execute(&format!(
            "SELECT orchestrator.resolve_review('{review}', '{decision}', 'caller {caller}', 'as {caller} says')"
        ))
    })?;
    let winners: Vec<usize> = (0..CALLERS).filter(|caller| outcomes[*caller].is_ok()).collect();
    let [winner] = winners[..] else { panic!("one wins, not {winners:?}") };
    let decision = ["approved", "rejected"][winner % 2];
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        let error = error.as_db_error().expect("the server raised the error");
        assert_eq!(error.code(), &SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE);
        let detail = error.detail().unwrap_or_default();
        assert!(
            detail.starts_with(&format!("It was {decision} by caller {winner} at ")),
            "{detail}"
        );
    }
    let stored = "SELECT status || ' by ' || resolved_by || resolution_notes FROM orchestrator.human_review_queue";
    let expected = format!("{decision} by caller {winner}as {winner} says");
    assert_eq!(text(&mut client, stored)?, expected);
    let run = text(
        &mut client,
        "SELECT concat_ws(' ', phase, gate_status, requires_human_review, error) FROM orchestrator.orchestrator_runs",
    )?;
    let expected = match decision {
        "approved" => "planning go f".to_owned(),
        _ => format!("failed kill t review rejected by caller {winner}: as {winner} says"),
    };
    assert_eq!(run, expected);
    let events = "SELECT string_agg(event_type || ' ' || role, ', ') FROM orchestrator.audit_events \
         WHERE event_type IN ('review_approved', 'review_rejected')";
    assert_eq!(text(&mut client, events)?, format!("review_{decision} caller {winner}"));
    Ok(())
}

/// 20 runs with 50 reviews each; eight callers go through all of them in overlapping batches, each
/// in an order of its own, and another one in the order of the reviews.
#[test]
fn overlapping_bulk_calls_resolve_each_review_once_and_never_deadlock() -> Result<()> {
    let database = walked_to("bulk", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(&format!(
        "SELECT orchestrator.start_run('t' || n, '{PROJECT}', 'S') FROM generate_series(1, 20) AS n; \
         {HOLD}; \
         SELECT orchestrator.request_review('t' || n, 'safety', 'look at it') FROM generate_series(1, 50), generate_series(1, 20) AS n"
    ))?;
    let resolve = |caller: usize, client: &mut Client| -> Result<i64, Error> {
        let mut resolved = 0;
        for batch in 0..8 {
            // One caller starts with a few rejections.
            let (decision, size) =
                if caller == 0 && batch == 0 { ("rejected", 5) } else { ("approved", 200) };
            resolved += number(
                client,
                &format!(
                    "SELECT count(*) FILTER (WHERE outcome = 'resolved') FROM orchestrator.resolve_reviews( \
                         ARRAY(SELECT q.id FROM orchestrator.human_review_queue AS q \
                               ORDER BY hashtext(q.id::text || '{caller}') OFFSET {batch} * 125 LIMIT {size}), \
                         '{decision}', 'caller {caller} batch {batch}', 'alike')"
                ),
            )?;
        }
        Ok(resolved)
    };
    let resolved: i64 = all(many_at_once(&database, 8, resolve)?)?.iter().sum();
    // The end of a run withdraws its other reviews.
    let withdrawn = number(
        &mut client,
        "SELECT count(*) FROM orchestrator.human_review_queue WHERE status = 'withdrawn'",
    )?;
    assert_eq!(resolved + withdrawn, 1000, "each review is resolved by one call");
    for (what, sql) in [
        (
            "pending",
            "SELECT count(*) FROM orchestrator.human_review_queue WHERE status = 'pending'",
        ),
        (
            "events that differ from reviews",
            "SELECT count(*) FROM (SELECT * FROM orchestrator.human_review_queue WHERE status <> 'withdrawn') AS q FULL JOIN \
             (SELECT e.* FROM orchestrator.audit_events AS e WHERE e.event_type IN ('review_approved', 'review_rejected')) AS e \
             ON e.metadata ->> 'review_id' = q.id::text AND e.event_type = 'review_' || q.status AND e.role = q.resolved_by \
             WHERE q.id IS NULL OR e.id IS NULL",
        ),
        (
            "runs that no review explains",
            "SELECT count(*) FROM orchestrator.orchestrator_runs AS r WHERE (r.gate_status = 'kill') <> EXISTS ( \
                 SELECT FROM orchestrator.human_review_queue AS q WHERE q.thread_id = r.thread_id AND q.status = 'rejected') \
             OR r.gate_status NOT IN ('go', 'kill') OR (r.gate_status = 'go' AND r.requires_human_review)",
        ),
    ] {
        assert_eq!(number(&mut client, sql)?, 0, "{what}");
    }
    Ok(())
}

#[test]
fn progress_from_16_connections_adds_up() -> Result<()> {
    let calls = cases::number(500, 100) as i64;
    let (database, mut client) = with_run("progress")?;
    let outcomes = at_once(&database, |caller, client| {
        let add = client.prepare(
            "SELECT orchestrator.record_run_progress('t', tokens => $1::bigint, cost => 0.0000000001 * $1::bigint, files => ARRAY[$2])",
        )?;
        for call in 0..calls {
            client.execute(&add, &[&call, &format!("{caller} {call}")])?;
        }
        Ok(())
    })?;
    all(outcomes)?;
    let sums = text(
        &mut client,
        "SELECT concat_ws(' ', tokens_used, cost_usd, cardinality(files_created), \
                (SELECT count(DISTINCT f) FROM unnest(files_created) AS f)) FROM orchestrator.orchestrator_runs",
    )?;
    let (all, tokens) = (16 * calls, 16 * calls * (calls - 1) / 2);
    assert_eq!(sums, format!("{tokens} 0.{tokens:010} {all} {all}"));
    let events =
        "SELECT count(*) FROM orchestrator.audit_events WHERE event_type = 'run_progressed'";
    assert_eq!(number(&mut client, events)?, all);
    Ok(())
}

/// Each of the last two approvals must see the other.
#[test]
fn the_last_approvals_free_the_run_whichever_comes_last() -> Result<()> {
    const REVIEWS: usize = 4;
    let (database, mut client) = with_run("last")?;
    for round in 0..25 {
        client.batch_execute(HOLD)?;
        let mut reviews = Vec::new();
        for _ in 0..REVIEWS {
            reviews.push(request(&mut client, "t")?);
        }
        let outcomes = many_at_once(&database, REVIEWS, |caller, client| {
            let review = &reviews[caller];
            client.batch_execute(&if caller % 2 == 0 {
                format!("SELECT orchestrator.resolve_review('{review}', 'approved', 'ada')")
            } else {
                format!("SELECT orchestrator.resolve_reviews('{{{review}}}', 'approved', 'ada')")
            })
        })?;
        all(outcomes)?;
        let state = "SELECT gate_status || ' ' || requires_human_review FROM orchestrator.orchestrator_runs";
        assert_eq!(text(&mut client, state)?, "go false", "round {round}");
    }
    Ok(())
}

/// A run is paused while its review is approved. In either order, it stays paused until it is resumed.
#[test]
fn a_pause_that_meets_an_approval_holds() -> Result<()> {
    let (database, mut client) = with_run("stopped")?;
    for round in 0..50 {
        client.batch_execute("SELECT orchestrator.record_safety('t', 0.5)")?;
        let review =
            "SELECT id::text FROM orchestrator.human_review_queue WHERE status = 'pending'";
        let review = text(&mut client, review)?;
        let outcomes = many_at_once(&database, 2, |caller, client| {
            client.batch_execute(&match (caller, round % 2) {
                (0, _) => "SELECT orchestrator.pause_run('t', 'stop')".to_owned(),
                (_, 0) => {
                    format!("SELECT orchestrator.resolve_review('{review}', 'approved', 'ada')")
                }
                _ => format!(
                    "SELECT orchestrator.resolve_reviews('{{{review}}}', 'approved', 'ada')"
                ),
            })
        })?;
        all(outcomes)?;
        let state = "SELECT gate_status || ' ' || requires_human_review FROM orchestrator.orchestrator_runs";
        assert_eq!(text(&mut client, state)?, "hold false", "round {round}");
        client.batch_execute("SELECT orchestrator.resume_run('t')")?;
    }
    Ok(())
}

/// A run needs a human exactly while a review of it is pending, in any order of requests and approvals.
#[test]
fn requests_and_approvals_that_meet_leave_no_review_forgotten() -> Result<()> {
    let (database, mut client) = with_run("meet")?;
    let outcomes = at_once(&database, |caller, client| {
        for _ in 0..40 {
            let review = request(client, "t")?;
            if caller % 4 != 0 {
                client.batch_execute(&format!(
                    "SELECT orchestrator.resolve_review('{review}', 'approved', 'ada')"
                ))?;
            }
        }
        Ok(())
    })?;
    all(outcomes)?;
    let state = "SELECT requires_human_review::text || ' ' || (SELECT count(*) FROM orchestrator.human_review_queue WHERE status = 'pending') \
         FROM orchestrator.orchestrator_runs";
    assert_eq!(text(&mut client, state)?, "true 160");
    let rest = "SELECT orchestrator.resolve_reviews(ARRAY(SELECT id FROM orchestrator.human_review_queue), 'approved', 'ada')";
    client.batch_execute(rest)?;
    assert_eq!(text(&mut client, state)?, "false 0");
    Ok(())
}

#[test]
fn scores_that_come_together_open_one_safety_review_with_the_lowest() -> Result<()> {
    let (database, mut client) = with_run("scores")?;
    let outcomes = at_once(&database, |caller, client| {
        (0..20).try_for_each(|call| {
            client.batch_execute(&format!(
                "SELECT orchestrator.record_safety('t', 0.{:02}, ARRAY['{caller} {call}'])",
                10 + (caller * 7 + call * 3) % 60
            ))
        })
    })?;
    all(outcomes)?;
    let state = "SELECT concat_ws(' ', r.safety_score, cardinality(r.violations), count(*), min(q.safety_score), min(q.status)) \
         FROM orchestrator.orchestrator_runs AS r JOIN orchestrator.human_review_queue AS q USING (thread_id) GROUP BY r.id";
    assert_eq!(text(&mut client, state)?, "0.10 320 1 0.10 pending");
    Ok(())
}

#[test]
fn a_thread_gets_one_run() -> Result<()> {
    let database = walked_to("thread", newest()?)?;
    let outcomes = at_once(&database, |_, client| start(client, "t"))?;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(error.code(), Some(&SqlState::UNIQUE_VIOLATION));
    }
    let events = "SELECT count(*) FROM orchestrator.audit_events WHERE event_type = 'run_started'";
    assert_eq!(number(&mut database.client()?, events)?, 1);
    Ok(())
}

/// Everything that locks a run or its reviews, at once, on the same few runs; one caller renames
/// their threads all the time.
#[test]
fn calls_in_any_combination_cause_no_deadlock_and_lose_no_review() -> Result<()> {
    let database = walked_to("mixed", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(&format!(
        "SELECT orchestrator.start_run('t' || n, '{PROJECT}', 'S') FROM generate_series(1, 3) AS n; \
         SELECT orchestrator.request_review('t' || n, 'gate_override', 'look at it') FROM generate_series(1, 60), generate_series(1, 3) AS n"
    ))?;
    let outcomes = at_once(&database, |caller, client| -> Result<i64, Error> {
        let mut resolved = 0;
        for call in 0..60 {
            let run = format!(
                "(SELECT thread_id FROM orchestrator.orchestrator_runs ORDER BY id OFFSET {} LIMIT 1)",
                (caller + call) % 3
            );
            let review = format!(
                "(SELECT id FROM orchestrator.human_review_queue WHERE review_type = 'gate_override' ORDER BY hashtext(id::text || '{caller} {call}') LIMIT 1)"
            );
            let outcome = match caller % 8 {
                0 => client.batch_execute(&format!(
                    "UPDATE orchestrator.orchestrator_runs SET thread_id = left(thread_id, 2) || ' {caller} {call}' WHERE thread_id = {run}"
                )),
                1 => client.batch_execute(&format!("SELECT orchestrator.record_safety({run}, 0.{:02})", 10 + call)),
                2 => client.batch_execute(&format!("SELECT orchestrator.pause_run({run}, 'x')")),
                3 => client.batch_execute(&format!("SELECT orchestrator.record_run_progress({run}, tokens => 1)")),
                4 | 5 => client
                    .batch_execute(&format!("SELECT orchestrator.resolve_review({review}, 'approved', 'caller {caller} {call}')"))
                    .inspect(|()| resolved += 1),
                _ => number(
                    client,
                    &format!(
                        "SELECT count(*) FILTER (WHERE outcome = 'resolved') FROM orchestrator.resolve_reviews(ARRAY( \
                             SELECT id FROM orchestrator.human_review_queue WHERE review_type = 'gate_override' \
                             ORDER BY hashtext(id::text || '{caller} {call}') LIMIT 5), 'approved', 'caller {caller} {call}')"
                    ),
                )
                .map(|count| resolved += count),
            };
            match outcome.as_ref().err().and_then(Error::code) {
                None => outcome?,
                // The review is resolved already, or the run has another name by now.
                Some(code) if *code == SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE => {}
                Some(code) if *code == SqlState::NO_DATA_FOUND && caller % 8 < 4 => {}
                Some(_) => outcome?,
            }
        }
        Ok(resolved)
    })?;
    let resolved: i64 = all(outcomes)?.iter().sum();
    let stored = "SELECT count(*) FROM orchestrator.human_review_queue WHERE review_type = 'gate_override' AND status = 'approved'";
    assert_eq!(number(&mut client, stored)?, resolved, "each was resolved by one call");
    let events =
        "SELECT count(*) FROM orchestrator.audit_events WHERE event_type = 'review_approved'";
    assert_eq!(number(&mut client, events)?, resolved);
    let strays = "SELECT count(*) FROM orchestrator.human_review_queue AS q WHERE NOT EXISTS (SELECT FROM orchestrator.orchestrator_runs AS r WHERE r.thread_id = q.thread_id)";
    assert_eq!(number(&mut client, strays)?, 0);
    Ok(())
}

/// A decision that depends on the reviews of a run takes all of them into account, also with a snapshot
/// that is older than the last review.
#[test]
fn a_snapshot_that_lacks_a_review_or_an_approval_decides_nothing() -> Result<()> {
    let ask = |reason: &str, kind: &str| {
        format!("SELECT orchestrator.request_review('t', '{kind}', '{reason}');")
    };
    let id = |reason: &str| {
        format!("(SELECT id FROM orchestrator.human_review_queue WHERE reason = '{reason}')")
    };
    let approve = |reason: &str| {
        format!("SELECT orchestrator.resolve_review({}, 'approved', 'ada');", id(reason))
    };
    let approve_all = |reason: &str| {
        format!("SELECT orchestrator.resolve_reviews(ARRAY[{}], 'approved', 'ada');", id(reason))
    };
    let first = ask("first", "budget_exceeded");
    let both = format!("{first} {}", ask("second", "budget_exceeded"));
    let more = ask("more", "safety");
    let marked = "UPDATE orchestrator.orchestrator_runs SET requires_human_review = true";
    for (before, meanwhile, call) in [
        (&first, &more, approve("first")),
        (&first, &more, approve_all("first")),
        (&first, &more, "SELECT orchestrator.record_safety('t', 0.1)".to_owned()),
        (&marked.to_owned(), &more, "SELECT orchestrator.resume_run('t')".to_owned()),
        // The other was not the last, so this one is.
        (&both, &approve("second"), approve("first")),
        (&both, &approve_all("second"), approve_all("first")),
    ] {
        let (database, mut client) = with_run("old_snapshot")?;
        client.batch_execute("SELECT orchestrator.pause_run('t', 'until it is reviewed')")?;
        client.batch_execute(before)?;
        must_try_again(&database, meanwhile, &call)?;
    }
    Ok(())
}
