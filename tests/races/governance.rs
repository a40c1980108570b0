//! Gates, prompts, knowledge and prices with many connections at once.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Result;
use postgres::error::SqlState;
use postgres::{Client, Error, IsolationLevel};
use support::deadline;
use support::extension::{newest, walked_to};

use crate::{CONNECTIONS, at_once, many_at_once, must_try_again, until_one_waits};

/// The first column of the first row, as text.
fn text(client: &mut Client, sql: &str) -> Result<String, Error> {
    client.query_one(sql, &[])?.try_get(0)
}

fn number(client: &mut Client, sql: &str) -> Result<i64, Error> {
    client.query_one(sql, &[])?.try_get(0)
}

const OPEN: &str =
    "SELECT orchestrator.open_gate(orchestrator.uuidv7(), 'agent', 'manual', 'which of us?')::text";

#[test]
fn a_gate_is_resolved_once_by_64_and_teaches_one_lesson() -> Result<()> {
    let database = walked_to("gate", newest()?)?;
    let mut client = database.client()?;
    let gate = text(&mut client, OPEN)?;
    let outcomes = many_at_once(&database, 64, |number, client| {
        let decision = ["approved", "denied"][number % 2];
        client.batch_execute(&format!(
            "SELECT orchestrator.resolve_gate('{gate}', '{decision}', 'human {number}', 'because')"
        ))
    })?;
    let winners: Vec<usize> =
        (0..outcomes.len()).filter(|number| outcomes[*number].is_ok()).collect();
    let [winner] = winners[..] else { panic!("one wins, not {winners:?}") };
    let how = text(
        &mut client,
        "SELECT format('It was %s by %s at %s.', status, resolved_by, resolved_at) FROM orchestrator.gates",
    )?;
    assert!(how.contains(&format!(" by human {winner} at ")), "{how}");
    for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        let error = error.as_db_error().expect("the server raised the error");
        assert_eq!(error.code(), &SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE);
        assert_eq!(error.detail(), Some(how.as_str()), "who, how and when");
    }
    let lessons = text(
        &mut client,
        "SELECT string_agg(knowledge_type, ', ') FROM orchestrator.knowledge_staging",
    )?;
    assert_eq!(lessons, ["gate_approval", "gate_rejection"][winner % 2]);
    Ok(())
}

#[test]
fn a_gate_whose_resolution_is_rolled_back_waits_again() -> Result<()> {
    let database = walked_to("gate_back", newest()?)?;
    let (mut first, mut second) = (database.client()?, database.client()?);
    let gate = text(&mut first, OPEN)?;
    let mut transaction = first.transaction()?;
    transaction.batch_execute(&format!(
        "SELECT orchestrator.resolve_gate('{gate}', 'denied', 'ada', 'no')"
    ))?;
    thread::scope(|scope| -> Result<()> {
        let waiting = scope.spawn(|| {
            second.batch_execute(&format!(
                "SELECT orchestrator.resolve_gate('{gate}', 'approved', 'bob')"
            ))
        });
        transaction.rollback()?;
        Ok(waiting.join().expect("the thread ends")?)
    })?;
    let lessons = "SELECT string_agg(g.resolved_by || ' ' || k.knowledge_type, ', ') \
         FROM orchestrator.gates AS g, orchestrator.knowledge_staging AS k";
    assert_eq!(text(&mut first, lessons)?, "bob gate_approval");
    Ok(())
}

/// How often each connection activates a prompt, and how often at most until the reader has met a
/// change.
const ACTIVATIONS: usize = 50;
const ACTIVATIONS_AT_MOST: usize = 10_000;

#[test]
fn a_reader_sees_one_active_prompt_at_every_instant() -> Result<()> {
    let database = walked_to("prompt", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(
        "SELECT orchestrator.publish_prompt('writer', '1.0.' || n, 'Text of 1.0.' || n, activate => n = 0) FROM generate_series(0, 15) AS n",
    )?;
    let (done, met_a_change) = (AtomicBool::new(false), AtomicBool::new(false));
    let mut reader = database.client()?;
    thread::scope(|scope| -> Result<()> {
        let reading = scope.spawn(|| -> Result<BTreeSet<String>> {
            let mut seen = BTreeSet::new();
            while !done.load(Ordering::Relaxed) {
                let active = "SELECT string_agg(version, ' ') FROM orchestrator.prompts WHERE is_active AND agent_type = 'writer'";
                let versions: Option<String> = reader.query_one(active, &[])?.try_get(0)?;
                let versions = versions.expect("one prompt is active, not none");
                assert!(!versions.contains(' '), "one prompt is active, not {versions}");
                reader.batch_execute("SELECT orchestrator.active_prompt('writer')")?;
                seen.insert(versions);
                met_a_change.store(seen.len() > 1, Ordering::Relaxed);
            }
            Ok(seen)
        });
        let outcomes = at_once(&database, |number, client| {
            for times in 0..ACTIVATIONS_AT_MOST {
                let enough = met_a_change.load(Ordering::Relaxed) || reading.is_finished();
                if enough && times >= ACTIVATIONS {
                    break;
                }
                client.batch_execute(&format!(
                    "SELECT orchestrator.activate_prompt('writer', '1.0.{number}')"
                ))?;
            }
            Ok(())
        });
        done.store(true, Ordering::Relaxed);
        let seen = reading.join().expect("the reader saw one at every instant")?;
        for outcome in outcomes? {
            outcome?;
        }
        assert!(seen.len() > 1, "the reader read while it changed: {seen:?}");
        Ok(())
    })
}

#[test]
fn the_first_activations_at_once_leave_one_active() -> Result<()> {
    let database = walked_to("first_prompt", newest()?)?;
    let outcomes = at_once(&database, |number, client| {
        client.batch_execute(&format!(
            "SELECT orchestrator.publish_prompt('writer', '1.{number}.0', 'x', activate => true)"
        ))
    })?;
    for outcome in outcomes {
        outcome?;
    }
    let counts = "SELECT format('%s of %s', count(*) FILTER (WHERE is_active), count(*)) FROM orchestrator.prompts";
    assert_eq!(text(&mut database.client()?, counts)?, "1 of 16");
    Ok(())
}

#[test]
fn a_version_is_published_once() -> Result<()> {
    let database = walked_to("publish", newest()?)?;
    let outcomes = at_once(&database, |number, client| {
        let activate = number % 2 == 0;
        client.batch_execute(&format!(
            "SELECT orchestrator.publish_prompt('writer', '1.0.0', 'text {number}', 'author {number}', activate => {activate})"
        ))
    })?;
    let losers: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!(losers.len(), CONNECTIONS - 1, "one wins");
    let author = text(&mut database.client()?, "SELECT created_by FROM orchestrator.prompts")?;
    for error in losers {
        let error = error.as_db_error().expect("the server raised the error");
        assert_eq!(error.code(), &SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE);
        assert!(
            error.detail().is_some_and(|detail| detail.ends_with(&format!(" by {author}."))),
            "{error}"
        );
    }
    Ok(())
}

#[test]
fn embedders_never_share_a_row_and_release_dropped_ones() -> Result<()> {
    let database = walked_to("knowledge", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(
        "SELECT orchestrator.stage_knowledge('collaboration', 'lesson ' || n) FROM generate_series(1, 100) AS n",
    )?;
    // No session ends its transaction before all have claimed.
    let everybody_claimed = Barrier::new(CONNECTIONS);
    let outcomes = at_once(&database, |number, client| {
        let mut transaction = client.transaction()?;
        // A claim that waits for another would wait here for ever.
        transaction.batch_execute(&deadline::set("lock_timeout"))?;
        let claimed = transaction
            .query("SELECT id::text FROM orchestrator.claim_knowledge(10)", &[])
            .and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect());
        everybody_claimed.wait();
        let claimed: Vec<String> = claimed?;
        let ids = claimed.join(",");
        let marked = format!("SELECT orchestrator.mark_knowledge_embedded('{{{ids}}}')");
        let marked: i64 = transaction.query_one(&marked, &[])?.try_get(0)?;
        assert_eq!(marked as usize, claimed.len(), "claimed rows can be marked");
        if number % 2 == 0 {
            transaction.commit()?;
        } else {
            transaction.rollback()?;
        }
        Ok(claimed)
    })?;
    let mut held = BTreeSet::new();
    let mut dropped = BTreeSet::new();
    for (number, outcome) in outcomes.into_iter().enumerate() {
        for id in outcome? {
            assert!(held.insert(id.clone()), "{id} is held by two");
            if number % 2 == 1 {
                dropped.insert(id);
            }
        }
    }
    assert_eq!(held.len(), 100, "every waiting row was claimed");
    let waiting = client.query("SELECT id::text FROM orchestrator.claim_knowledge(100)", &[])?;
    let waiting =
        waiting.iter().map(|row| row.try_get(0)).collect::<Result<BTreeSet<String>, _>>()?;
    assert_eq!(waiting, dropped, "only rows of rolled back claims wait again");
    Ok(())
}

#[test]
fn embedders_with_leases_share_no_row_and_no_attempt_is_lost() -> Result<()> {
    let database = walked_to("leases", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(
        "SELECT orchestrator.stage_knowledge('collaboration', 'lesson ' || n) FROM generate_series(1, 200) AS n",
    )?;
    // Each embedder fails what it claims, until nothing is left to claim: two attempts each.
    client.batch_execute(
        "SELECT orchestrator.set_configuration('knowledge_max_attempts', '2', 'integer')",
    )?;
    let outcomes = at_once(&database, |number, client| {
        let claim = format!(
            "SELECT array_agg(id)::text FROM orchestrator.claim_knowledge(7, 'embedder {number}', '1 hour')"
        );
        let mut claims = 0_i64;
        loop {
            let ids: Option<String> = client.query_one(&claim, &[])?.try_get(0)?;
            let Some(ids) = ids else { return Ok(claims) };
            let failed = format!("SELECT orchestrator.fail_knowledge('{ids}', 'e', '0')");
            claims += client.query_one(&failed, &[])?.try_get::<_, i64>(0)?;
        }
    })?;
    let claims = outcomes.into_iter().sum::<Result<i64, _>>()?;
    assert_eq!(claims, 400, "each attempt was one embedder's");
    let given_up = "SELECT count(*) FROM orchestrator.knowledge_staging WHERE given_up_at IS NOT NULL AND attempts = 2";
    assert_eq!(number(&mut client, given_up)?, 200);
    let events = "SELECT sum(jsonb_array_length(metadata -> 'knowledge_ids'))::bigint FROM orchestrator.audit_events WHERE event_type = 'knowledge_given_up'";
    assert_eq!(number(&mut client, events)?, 200);
    Ok(())
}

#[test]
fn activations_at_once_leave_one_order_and_one_active_version() -> Result<()> {
    let database = walked_to("activations", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(
        "SELECT orchestrator.publish_prompt('writer', '1.0.' || n, 'text ' || n) FROM generate_series(0, 7) AS n",
    )?;
    let outcomes = at_once(&database, |number, client| {
        for round in 0..10 {
            client.batch_execute(&format!(
                "SELECT orchestrator.activate_prompt('writer', '1.0.{}', weight => {})",
                (number + round) % 8,
                [100, 10, 60, 0][(number + round) % 4],
            ))?;
        }
        Ok(())
    })?;
    outcomes.into_iter().collect::<Result<Vec<()>, _>>()?;
    let rows = "SELECT count(DISTINCT activated_at) FROM orchestrator.prompt_activations";
    assert_eq!(number(&mut client, rows)?, 10 * CONNECTIONS as i64);
    // The flag is that of the version which a caller without a key gets.
    let agrees = "SELECT count(*) FROM orchestrator.prompts WHERE is_active AND prompt_text = orchestrator.active_prompt('writer')";
    assert_eq!(number(&mut client, agrees)?, 1);
    Ok(())
}

/// The functions lock the agent type before its rows. A plain UPDATE or INSERT that locked its row first would wait for them
/// while they wait for it.
#[test]
fn a_plain_change_of_is_active_waits_for_activations() -> Result<()> {
    let database = walked_to("plain_activation", newest()?)?;
    let mut activating = database.client()?;
    activating.batch_execute(
        "SELECT orchestrator.publish_prompt('writer', '1.0.' || n, 'text ' || n, activate => n = 0) FROM generate_series(0, 2) AS n",
    )?;
    for plain in [
        "UPDATE orchestrator.prompts SET is_active = false WHERE is_active",
        "INSERT INTO orchestrator.prompts (agent_type, version, prompt_text, is_active) VALUES ('writer', '2.0.0', 'text', true)",
    ] {
        activating.batch_execute(
            "BEGIN; SELECT orchestrator.activate_prompt('writer', '1.0.1', 'canary')",
        )?;
        std::thread::scope(|scope| -> Result<()> {
            let mut other = database.client()?;
            let changed = scope.spawn(move || other.batch_execute(plain));
            let mut watcher = database.client()?;
            let waits = until_one_waits(&mut watcher);
            let activated = activating
                .batch_execute("SELECT orchestrator.activate_prompt('writer', '1.0.2'); COMMIT");
            let changed = changed.join().expect("the thread ends");
            waits?;
            activated?;
            if plain.starts_with("UPDATE") {
                changed?;
            } else {
                let code = changed.expect_err("one version is active").code().cloned();
                assert_eq!(code, Some(SqlState::UNIQUE_VIOLATION));
            }
            Ok(())
        })?;
    }
    let agrees = "SELECT count(*) FROM orchestrator.prompts WHERE is_active AND prompt_text = orchestrator.active_prompt('writer')";
    assert_eq!(number(&mut activating, agrees)?, 1);
    Ok(())
}

#[test]
fn a_price_set_by_many_is_one_price_and_list_prices_are_added_once() -> Result<()> {
    let database = walked_to("price", newest()?)?;
    let outcomes = at_once(&database, |number, client| {
        client.batch_execute(&format!(
            "SELECT orchestrator.set_price('frugal', {number}, {number}, '2026-01-01')"
        ))?;
        self::number(client, "SELECT orchestrator.load_default_prices()")
    })?;
    let mut added = 0;
    for outcome in outcomes {
        added += outcome?;
    }
    assert_eq!(added, 11);
    let mut client = database.client()?;
    let prices = "SELECT format('%s of %s count, %s replace another', count(*) FILTER (WHERE replaced_at IS NULL), count(*), count(DISTINCT replaces)) \
         FROM orchestrator.llm_pricing WHERE input_cost_per_million = output_cost_per_million AND model = 'frugal'";
    let expected = format!("1 of {CONNECTIONS} count, {} replace another", CONNECTIONS - 1);
    assert_eq!(text(&mut client, prices)?, expected);
    let others = "SELECT count(*) FROM orchestrator.llm_pricing WHERE model <> 'frugal'";
    assert_eq!(number(&mut client, others)?, 11);
    Ok(())
}

/// `now()` is the beginning of a transaction, and others set prices after it.
#[test]
fn a_price_that_was_set_during_a_transaction_keeps_its_time() -> Result<()> {
    let database = walked_to("clock", newest()?)?;
    let (mut client, mut other) = (database.client()?, database.client()?);
    client.batch_execute(
        "SELECT orchestrator.set_price('b', 1, 0, '2026-01-01'); SELECT orchestrator.record_llm_call('b', 1000000, 0, at => '2026-01-02')",
    )?;
    let mut transaction = client.transaction()?;
    transaction.batch_execute("SELECT FROM orchestrator.configurations")?;
    other.batch_execute("SELECT orchestrator.set_price('b', 2, 0, '2026-01-01')")?;
    let seen = text(&mut other, "SELECT clock_timestamp()::text")?;
    other.batch_execute(
        "SELECT orchestrator.set_price('c', 5, 0, effective_at => clock_timestamp())",
    )?;
    let begun = text(
        &mut other,
        "SELECT effective_at::text FROM orchestrator.llm_pricing WHERE model = 'c'",
    )?;
    transaction.batch_execute(&format!(
        "SELECT orchestrator.set_price('b', 3, 0, '2026-01-01'); SELECT orchestrator.set_price('c', 99, 0, effective_at => '{begun}')"
    ))?;
    transaction.commit()?;
    let report =
        format!("SELECT round(cost)::text FROM orchestrator.llm_cost_by_day_as_of('{seen}')");
    assert_eq!(text(&mut other, &report)?, "2");
    let now = "SELECT round(cost)::text FROM orchestrator.llm_cost_by_day";
    assert_eq!(text(&mut other, now)?, "3");
    let kept = "SELECT string_agg(round(input_cost_per_million) || CASE WHEN replaced_at IS NULL THEN '' ELSE ' replaced' END, ', ' ORDER BY created_at) \
         FROM orchestrator.llm_pricing";
    assert_eq!(text(&mut other, kept)?, "1 replaced, 2 replaced, 5 replaced, 3, 99");
    let wrong = "SELECT count(*) FROM orchestrator.llm_pricing WHERE replaced_at < created_at";
    assert_eq!(number(&mut other, wrong)?, 0);
    Ok(())
}

/// Whoever sets a price and then an alias of it waits for an import, and the import for nobody in turn.
#[test]
fn a_price_and_its_alias_meet_an_import_without_a_deadlock() -> Result<()> {
    let database = walked_to("order", newest()?)?;
    let outcomes = at_once(&database, |number, client| {
        if number % 2 == 0 {
            let mut transaction = client.transaction()?;
            transaction
                .batch_execute(&format!("SELECT orchestrator.set_price('m{number}', 1, 1)"))?;
            transaction.batch_execute(&format!(
                "SELECT orchestrator.set_model_alias('alias {number}', 'm{number}')"
            ))?;
            transaction.commit()
        } else {
            client.batch_execute(
                "SELECT * FROM orchestrator.import_prices('{\"z\": {\"input_cost_per_token\": 1e-6}}')",
            )
        }
    })?;
    for outcome in outcomes {
        outcome?;
    }
    Ok(())
}

#[test]
fn prices_imported_by_many_are_added_once() -> Result<()> {
    let database = walked_to("import", newest()?)?;
    let outcomes = at_once(&database, |_, client| {
        let import = "SELECT count(*) FILTER (WHERE outcome IN ('added', 'alias')) FROM orchestrator.import_prices( \
             '{\"a\": {\"input_cost_per_token\": 1e-6, \"cache_read_input_token_cost\": 1e-7}, \"b\": {\"alias_of\": \"a\"}}')";
        number(client, import)
    })?;
    let mut added = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
    added.sort_unstable();
    assert_eq!(added.pop(), Some(2));
    assert_eq!(added, vec![0; CONNECTIONS - 1]);
    let rows = "SELECT concat_ws(' ', (SELECT count(*) FROM orchestrator.llm_pricing), (SELECT count(*) FROM orchestrator.llm_price_components), \
         (SELECT count(*) FROM orchestrator.llm_model_aliases))";
    assert_eq!(text(&mut database.client()?, rows)?, "1 1 1");
    Ok(())
}

/// An alias is one step, whatever order its callers come in and whatever their snapshots show.
#[test]
fn two_aliases_at_once_make_no_chain() -> Result<()> {
    for level in [IsolationLevel::ReadCommitted, IsolationLevel::RepeatableRead] {
        let database = walked_to("aliases", newest()?)?;
        let (mut client, mut other) = (database.client()?, database.client()?);
        client.batch_execute(
            "SELECT orchestrator.set_price('b', 1, 2), orchestrator.set_price('c', 1, 2)",
        )?;
        let mut transaction = client.build_transaction().isolation_level(level).start()?;
        transaction.batch_execute("SELECT FROM orchestrator.configurations")?;
        other.batch_execute("SELECT orchestrator.set_model_alias('a', 'b')")?;
        let outcome = transaction.batch_execute("SELECT orchestrator.set_model_alias('b', 'c')");
        let code = outcome.as_ref().err().and_then(|error| error.code().cloned());
        assert_eq!(code, Some(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE), "{level:?}");
        transaction.rollback()?;
        let aliases =
            "SELECT string_agg(alias || ' is ' || model, ', ') FROM orchestrator.llm_model_aliases";
        assert_eq!(text(&mut other, aliases)?, "a is b", "{level:?}");
    }
    Ok(())
}

#[test]
fn a_price_that_an_old_snapshot_does_not_show_is_not_replaced() -> Result<()> {
    let database = walked_to("old_price", newest()?)?;
    let (mut client, mut other) = (database.client()?, database.client()?);
    let level = IsolationLevel::RepeatableRead;
    let mut transaction = client.build_transaction().isolation_level(level).start()?;
    transaction.batch_execute("SELECT FROM orchestrator.configurations")?;
    other.batch_execute("SELECT orchestrator.set_price('gpt-5', 1, 2, '2026-01-01')")?;
    transaction.batch_execute("SELECT orchestrator.load_default_prices()")?;
    transaction.commit()?;
    let prices = "SELECT count(*) FROM orchestrator.llm_pricing WHERE model = 'gpt-5'";
    assert_eq!(number(&mut other, prices)?, 1);
    Ok(())
}

#[test]
fn an_old_snapshot_activates_no_second_prompt() -> Result<()> {
    let activate =
        |version: &str| format!("SELECT orchestrator.activate_prompt('writer', '{version}')");
    let publish = |version: &str, activate: bool| {
        format!(
            "SELECT orchestrator.publish_prompt('writer', '{version}', 'x', activate => {activate})"
        )
    };
    for (meanwhile, call) in [
        (activate("1.1.0"), activate("1.2.0")),
        (publish("1.3.0", true), activate("1.2.0")),
        (publish("1.3.0", true), publish("1.4.0", true)),
    ] {
        for active in [false, true] {
            let database = walked_to("old_prompt", newest()?)?;
            let mut client = database.client()?;
            client.batch_execute(&format!(
                "{}; {}; {}",
                publish("1.0.0", active),
                publish("1.1.0", false),
                publish("1.2.0", false)
            ))?;
            must_try_again(&database, &meanwhile, &call)?;
        }
    }
    Ok(())
}
