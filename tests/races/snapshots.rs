//! Functions that read the catalog while other sessions drop objects in it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Result;
use postgres::Client;
use postgres::error::SqlState;
use support::extension::{newest, walked_to};

use crate::must_try_again;

/// The smallest number of times that each call is made.
const CALLS: usize = 40;

/// Objects whose definitions the functions read; they are created and dropped.
const MADE: &str = "CREATE TABLE public.made (id int PRIMARY KEY, n int CHECK (n > 0) DEFAULT 1); \
    CREATE INDEX ON public.made ((n + 1)); \
    CREATE VIEW public.seen AS SELECT id FROM public.made; \
    CREATE FUNCTION public.made_of(n int) RETURNS int LANGUAGE sql AS 'SELECT n'; \
    CREATE TRIGGER kept BEFORE UPDATE ON public.made FOR EACH ROW EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger(); \
    CREATE TYPE public.state AS ENUM ('a', 'b')";
const DROPPED: &str = "DROP VIEW public.seen; DROP FUNCTION public.made_of; DROP TABLE public.made; DROP TYPE public.state";

/// Repeats a call. Returns how often it succeeded, and how often it failed with the advice to try again.
fn call(client: &mut Client, sql: &str) -> Result<(usize, usize)> {
    let (mut answered, mut again) = (0, 0);
    for number in 0..CALLS {
        match client.batch_execute(&sql.replace("$1", &number.to_string())) {
            Ok(()) => answered += 1,
            Err(error) => {
                assert_eq!(
                    error.code(),
                    Some(&SqlState::T_R_SERIALIZATION_FAILURE),
                    "{sql}: {error:?}"
                );
                again += 1;
            }
        }
    }
    Ok((answered, again))
}

#[test]
fn an_object_dropped_while_it_is_read_means_try_again() -> Result<()> {
    let database = walked_to("dropping", newest()?)?;
    let mut dropper = database.client()?;
    let calls = [
        "SELECT orchestrator.capture_snapshot('a $1')",
        "SELECT orchestrator.capture_snapshot('b $1', '{public}')",
        "SELECT orchestrator.v7_record_enum_duplicates()",
        "SELECT orchestrator.enum_duplicates()",
    ];
    let done = AtomicBool::new(false);
    thread::scope(|scope| -> Result<()> {
        let mut callers = Vec::new();
        for sql in calls {
            let mut client = database.client()?;
            callers.push(scope.spawn(move || call(&mut client, sql)));
        }
        let done = &done;
        let dropping = scope.spawn(move || -> Result<()> {
            while !done.load(Ordering::Relaxed) {
                dropper.batch_execute(MADE)?;
                dropper.batch_execute(DROPPED)?;
            }
            Ok(())
        });
        // A caller that failed must not leave the other one dropping for ever.
        let joined: Vec<_> = callers.into_iter().map(|caller| caller.join()).collect();
        done.store(true, Ordering::Relaxed);
        let outcomes: Vec<_> =
            joined.into_iter().map(|outcome| outcome.expect("the thread ends")).collect();
        dropping.join().expect("the thread ends")?;
        for (sql, outcome) in calls.iter().zip(outcomes) {
            let (answered, again) = outcome?;
            println!("{sql}: {answered} answered, {again} to be tried again");
            assert!(answered > 0, "{sql}");
        }
        Ok(())
    })
}

/// A transaction with an older snapshot finds objects that were dropped since.
#[test]
fn a_dropped_object_in_an_old_snapshot_means_try_again() -> Result<()> {
    for dropped in ["DROP VIEW public.seen", "DROP TABLE public.made CASCADE"] {
        let database = walked_to("dropped", newest()?)?;
        database.client()?.batch_execute(MADE)?;
        must_try_again(&database, dropped, "SELECT orchestrator.capture_snapshot('a')")?;
    }
    Ok(())
}

/// If the catalog still refers to a missing object, no session has dropped it: the catalog is damaged.
#[test]
fn a_damaged_catalog_is_not_to_be_tried_again() -> Result<()> {
    let database = walked_to("damaged", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute(
        "CREATE FUNCTION public.holds(n int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT n > 0'; \
         CREATE TABLE public.checked (n int CHECK (public.holds(n))); \
         DELETE FROM pg_proc WHERE proname = 'holds'",
    )?;
    let snapshot = client.batch_execute("SELECT orchestrator.capture_snapshot('a')");
    let error = snapshot.expect_err("the definition cannot be written");
    assert_eq!(error.code(), Some(&SqlState::INTERNAL_ERROR), "{error:?}");
    Ok(())
}

#[test]
fn a_missing_trail_stops_actions_that_it_would_record() -> Result<()> {
    let database = walked_to("no_trail", newest()?)?;
    let mut client = database.client()?;
    client.batch_execute("ALTER TABLE orchestrator.audit_events RENAME TO gone")?;
    let start = "SELECT orchestrator.start_run('t', orchestrator.uuidv7(), 's')";
    let error = client.batch_execute(start).expect_err("nothing is recorded");
    assert_eq!(error.code(), Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE), "{error:?}");
    let runs: i64 =
        client.query_one("SELECT count(*) FROM orchestrator.orchestrator_runs", &[])?.try_get(0)?;
    assert_eq!(runs, 0);
    Ok(())
}
