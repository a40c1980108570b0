//! The code-base migration with many people at once: plan, sign-offs, phases, tasks, enum types.

use std::thread;

use anyhow::Result;
use postgres::error::SqlState;
use postgres::{Client, Error};
use support::Database;
use support::extension::{newest, walked_to};

use crate::{CONNECTIONS, at_once, must_try_again, until_one_waits};

fn number(client: &mut Client, sql: &str) -> Result<i64> {
    Ok(client.query_one(sql, &[])?.try_get(0)?)
}

fn text(client: &mut Client, sql: &str) -> Result<String> {
    Ok(client.query_one(sql, &[])?.try_get(0)?)
}

/// A database with the plan in it.
fn planned(name: &str) -> Result<(Database, Client)> {
    let database = walked_to(name, newest()?)?;
    let mut client = database.client()?;
    client.batch_execute("SELECT orchestrator.v7_load_plan()")?;
    Ok((database, client))
}

/// The DETAIL of every loser, after checking that all but one lost with 55000.
fn details_of_losers(outcomes: &[Result<(), Error>]) -> Vec<String> {
    let losers: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!(losers.len(), outcomes.len() - 1, "one wins");
    let detail = |error: &&Error| {
        let error = error.as_db_error().expect("the server raised the error");
        assert_eq!(error.code(), &SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE);
        error.detail().unwrap_or_default().to_owned()
    };
    losers.iter().map(detail).collect()
}

#[test]
fn the_plan_is_loaded_once() -> Result<()> {
    let database = walked_to("v7_plan", newest()?)?;
    let mut client = database.client()?;
    for outcome in
        at_once(&database, |_, client| client.batch_execute("SELECT orchestrator.v7_load_plan()"))?
    {
        outcome?;
    }
    let counts = "SELECT (SELECT count(*) FROM orchestrator.v7_migration_workflow) || ' phases, ' || count(*) || ' tasks, ' \
         || sum(cardinality(dependencies)) || ' dependencies' FROM orchestrator.v7_subworkflow_tasks";
    assert_eq!(text(&mut client, counts)?, "7 phases, 13 tasks, 17 dependencies");
    Ok(())
}

#[test]
fn an_item_is_signed_once_and_the_others_learn_by_whom() -> Result<()> {
    let (database, mut client) = planned("v7_sign")?;
    let outcomes = at_once(&database, |number, client| {
        client.batch_execute(&format!(
            "SELECT orchestrator.v7_sign(4, 'before', 'DB Team Lead', 'person {number}')"
        ))
    })?;
    let signer = text(&mut client, "SELECT signed_by FROM orchestrator.migration_sign_offs")?;
    for detail in details_of_losers(&outcomes) {
        assert!(detail.starts_with(&format!("Signed by {signer} at ")), "{detail}");
    }
    Ok(())
}

#[test]
fn a_phase_takes_each_step_once() -> Result<()> {
    let (database, mut client) = planned("v7_steps")?;
    client.batch_execute("DELETE FROM orchestrator.v7_subworkflow_tasks WHERE parent_phase = 1")?;
    type Step = fn(usize) -> String;
    let steps: [(Step, &str); 4] = [
        (|_| "SELECT orchestrator.v7_start_phase(1)".to_owned(), "It is in_progress, started at "),
        (
            |number| format!("SELECT orchestrator.v7_request_review(1, '[{number}]')"),
            "It is review, started at ",
        ),
        (
            |number| format!("SELECT orchestrator.v7_approve_phase(1, 'person {number}', 'go')"),
            "It is approved, started at ",
        ),
        (|_| "SELECT orchestrator.v7_complete_phase(1)".to_owned(), "It is completed, started at "),
    ];
    for (step, situation) in steps {
        let outcomes = at_once(&database, |number, client| client.batch_execute(&step(number)))?;
        for detail in details_of_losers(&outcomes) {
            assert!(detail.starts_with(situation), "{detail}");
        }
    }
    let approved_by = text(
        &mut client,
        "SELECT approved_by FROM orchestrator.v7_migration_workflow WHERE phase_number = 1",
    )?;
    assert!(approved_by.starts_with("person "));
    Ok(())
}

#[test]
fn two_phases_do_not_start_at_once() -> Result<()> {
    let (database, mut client) = planned("v7_start")?;
    let outcomes = at_once(&database, |number, client| {
        let phase = number % 7 + 1;
        if number % 2 == 0 {
            client.batch_execute(&format!("SELECT orchestrator.v7_start_phase({phase})"))
        } else {
            client.batch_execute(&format!(
                "UPDATE orchestrator.v7_migration_workflow SET status = 'in_progress' WHERE phase_number = {phase} AND status = 'not_started'"
            ))
        }
    })?;
    assert!(outcomes.iter().any(Result::is_ok));
    let started = "SELECT string_agg(phase_number::text, ',') FROM orchestrator.v7_migration_workflow WHERE status = 'in_progress'";
    assert_eq!(text(&mut client, started)?, "1");
    Ok(())
}

#[test]
fn tasks_get_numbers_of_their_own_and_none_slips_into_a_phase_that_ends() -> Result<()> {
    let (database, mut client) = planned("v7_tasks")?;
    let outcomes = at_once(&database, |number, client| {
        client.batch_execute(&format!("SELECT orchestrator.v7_issue_task(2, 'task {number}', 'x')"))
    })?;
    assert!(outcomes.iter().all(Result::is_ok));
    let numbers = "SELECT count(DISTINCT task_number) FROM orchestrator.v7_subworkflow_tasks \
         WHERE parent_phase = 2 AND task_number BETWEEN 1 AND 16";
    assert_eq!(number(&mut client, numbers)?, CONNECTIONS as i64);

    client.batch_execute(
        "DELETE FROM orchestrator.v7_subworkflow_tasks; SELECT orchestrator.v7_start_phase(1); \
         SELECT orchestrator.v7_request_review(1, '[]'); SELECT orchestrator.v7_approve_phase(1, 'x', 'go')",
    )?;
    at_once(&database, |number, client| {
        if number % 4 == 0 {
            client.batch_execute("SELECT orchestrator.v7_complete_phase(1)")
        } else {
            client.batch_execute("SELECT orchestrator.v7_issue_task(1, 'late', 'x')")
        }
    })?;
    let disorder = "SELECT count(*) FROM orchestrator.v7_migration_workflow AS w JOIN orchestrator.v7_subworkflow_tasks AS t \
         ON t.parent_phase = w.phase_number WHERE w.status = 'completed' AND t.status = 'pending'";
    assert_eq!(number(&mut client, disorder)?, 0);
    Ok(())
}

#[test]
fn no_circle_is_closed_together() -> Result<()> {
    let (database, mut client) = planned("v7_circle")?;
    for round in 0..5 {
        client.batch_execute(&format!(
            "DELETE FROM orchestrator.v7_subworkflow_tasks; \
             INSERT INTO orchestrator.v7_subworkflow_tasks (parent_phase, task_number, task_name, responsible_persona) \
             SELECT 2, n, 'round {round}', 'x' FROM generate_series(0, {}) AS n",
            CONNECTIONS - 1
        ))?;
        let outcomes = at_once(&database, |number, client| {
            let next = (number + 1) % CONNECTIONS;
            client.batch_execute(&format!(
                "UPDATE orchestrator.v7_subworkflow_tasks SET dependencies = \
                 ARRAY(SELECT id FROM orchestrator.v7_subworkflow_tasks WHERE task_number = {next}) WHERE task_number = {number}"
            ))
        })?;
        let losers: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert_eq!(losers.len(), 1, "the one that closes the circle: {losers:?}");
        assert_eq!(losers[0].code(), Some(&SqlState::INVALID_PARAMETER_VALUE));
        let reported = "SELECT actual FROM orchestrator.v7_verify_data() WHERE check_name = 'dependencies that can never be met'";
        assert_eq!(text(&mut client, reported)?, "0");
    }
    Ok(())
}

#[test]
fn duplicates_are_recorded_and_labels_taken_once() -> Result<()> {
    let (database, mut client) = planned("v7_enums")?;
    client.batch_execute(
        "CREATE TYPE public.a_status AS ENUM ('x'); CREATE TYPE public.astatus AS ENUM ('x')",
    )?;
    for outcome in at_once(&database, |_, client| {
        client.batch_execute("SELECT orchestrator.v7_record_enum_duplicates()")
    })? {
        outcome?;
    }
    assert_eq!(number(&mut client, "SELECT count(*) FROM orchestrator.v7_enum_migrations")?, 1);

    let outcomes = at_once(&database, |_, client| {
        client.batch_execute("SELECT orchestrator.capture_snapshot('now')")
    })?;
    let losers: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!(losers.len(), CONNECTIONS - 1);
    assert!(losers.iter().all(|error| error.code() == Some(&SqlState::UNIQUE_VIOLATION)));
    Ok(())
}

#[test]
fn a_snapshot_that_lacks_a_recorded_pair_records_none() -> Result<()> {
    const RECORD: &str = "SELECT orchestrator.v7_record_enum_duplicates()";
    let (database, mut client) = planned("v7_old_enums")?;
    client.batch_execute(
        "CREATE TYPE public.a_status AS ENUM ('x'); CREATE TYPE public.astatus AS ENUM ('x')",
    )?;
    // Recorded with the two types exchanged, which no constraint prevents.
    let turned_round = format!(
        "{RECORD}; UPDATE orchestrator.v7_enum_migrations SET current_enum_name = v7_enum_name, \
             v7_enum_name = current_enum_name, consolidates_with = ARRAY[current_enum_name]"
    );
    must_try_again(&database, &turned_round, RECORD)?;
    assert_eq!(number(&mut client, "SELECT count(*) FROM orchestrator.v7_enum_migrations")?, 1);
    Ok(())
}

#[test]
fn a_snapshot_that_lacks_a_task_or_a_dependency_decides_nothing() -> Result<()> {
    const APPROVED: &str = "SELECT orchestrator.v7_start_phase(1); SELECT orchestrator.v7_request_review(1, '[]'); \
         SELECT orchestrator.v7_approve_phase(1, 'x', 'go'); DELETE FROM orchestrator.v7_subworkflow_tasks WHERE parent_phase = 1";
    const COMPLETE: &str = "SELECT orchestrator.v7_complete_phase(1)";
    const CIRCLE: &str = "DELETE FROM orchestrator.v7_subworkflow_tasks; \
         SELECT orchestrator.v7_issue_task(2, n, 'x') FROM unnest('{a,b,c}'::text[]) AS n";
    let wait = |one: &str, other: &str| {
        format!(
            "UPDATE orchestrator.v7_subworkflow_tasks SET dependencies = \
             ARRAY(SELECT id FROM orchestrator.v7_subworkflow_tasks WHERE task_name = '{other}') WHERE task_name = '{one}'"
        )
    };
    let chain = format!("{CIRCLE}; {}", wait("a", "b"));
    for (before, meanwhile, call) in [
        (APPROVED, "SELECT orchestrator.v7_issue_task(1, 'late', 'x')".to_owned(), COMPLETE.to_owned()),
        (APPROVED, "SELECT orchestrator.v7_load_plan()".to_owned(), COMPLETE.to_owned()),
        (
            APPROVED,
            "UPDATE orchestrator.v7_subworkflow_tasks SET parent_phase = 1 WHERE parent_phase = 4 AND task_number = 7".to_owned(),
            COMPLETE.to_owned(),
        ),
        (
            APPROVED,
            "SELECT orchestrator.v7_issue_task(1, 'late', 'x')".to_owned(),
            "SELECT orchestrator.v7_roll_back_phase(1, 'x')".to_owned(),
        ),
        (
            APPROVED,
            "SELECT orchestrator.v7_issue_task(1, 'one', 'x')".to_owned(),
            "SELECT orchestrator.v7_issue_task(1, 'same number', 'x')".to_owned(),
        ),
        (CIRCLE, wait("b", "c"), wait("c", "b")),
        (&chain, wait("b", "c"), wait("c", "a")),
    ] {
        let (database, mut client) = planned("v7_old_snapshot")?;
        client.batch_execute(before)?;
        must_try_again(&database, &meanwhile, &call)?;
    }
    let (database, mut client) = planned("v7_old_snapshot_enums")?;
    client.batch_execute(
        "CREATE TYPE public.a_status AS ENUM ('x'); CREATE TYPE public.astatus AS ENUM ('x')",
    )?;
    let record = "SELECT orchestrator.v7_record_enum_duplicates()";
    must_try_again(&database, record, record)
}

/// A plan that is loaded while a phase ends adds no task to that phase.
#[test]
fn a_plan_adds_no_task_to_a_phase_that_ends() -> Result<()> {
    let (database, mut client) = planned("v7_late_plan")?;
    client.batch_execute(
        "DELETE FROM orchestrator.v7_subworkflow_tasks; SELECT orchestrator.v7_start_phase(1); \
         SELECT orchestrator.v7_request_review(1, '[]'); SELECT orchestrator.v7_approve_phase(1, 'x', 'go')",
    )?;
    let mut ending = client.transaction()?;
    ending.batch_execute("SELECT orchestrator.v7_complete_phase(1)")?;
    let (mut other, mut watching) = (database.client()?, database.client()?);
    thread::scope(|scope| -> Result<()> {
        let loading = scope.spawn(|| other.batch_execute("SELECT orchestrator.v7_load_plan()"));
        until_one_waits(&mut watching)?;
        ending.commit()?;
        Ok(loading.join().expect("the thread ends")?)
    })?;
    let late = "SELECT count(*) FROM orchestrator.v7_subworkflow_tasks WHERE parent_phase = 1";
    assert_eq!(number(&mut client, late)?, 0);
    Ok(())
}
