//! Settings that become secrets while other sessions read them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Result;
use postgres::Client;
use support::extension::{newest, walked_to};
use support::roles::{self, name};

/// How often the setting becomes a secret: at least this often, and further until every reader has
/// seen both states.
const CHANGES: usize = 300;
const CHANGES_AT_MOST: usize = 100_000;

/// The answers that a reader received, counted.
#[derive(Default)]
struct Seen {
    open: i64,
    refused: i64,
    secret: i64,
}

/// Reads many times in a transaction that has an id, in which each statement of a function sees the
/// rows that others have committed before it.
fn look(client: &mut Client, function: &str) -> Result<Seen> {
    client.batch_execute("BEGIN; SELECT pg_current_xact_id()")?;
    let row = client
        .query_one(&format!("SELECT open, refused, secret FROM pg_temp.{function}()"), &[])?;
    client.batch_execute("COMMIT")?;
    Ok(Seen { open: row.try_get(0)?, refused: row.try_get(1)?, secret: row.try_get(2)? })
}

/// A function that calls one of ours and counts its answers. Each call follows a write in the same
/// block: a block with EXCEPTION that has written nothing has no id of its own, and then every
/// statement of ours sees what the caller's statement sees.
fn looking(name: &str, call: &str) -> String {
    format!(
        "CREATE TEMP TABLE IF NOT EXISTS written (n int) ON COMMIT DELETE ROWS; \
         CREATE FUNCTION pg_temp.{name}(OUT open bigint, OUT refused bigint, OUT secret bigint) LANGUAGE plpgsql AS $$ \
         DECLARE answer text; \
         BEGIN \
             open := 0; refused := 0; secret := 0; \
             FOR n IN 1..100 LOOP \
                 BEGIN \
                     INSERT INTO pg_temp.written VALUES (n); \
                     answer := {call}; \
                     IF answer LIKE '%hunter%' THEN secret := secret + 1; ELSE open := open + 1; END IF; \
                 EXCEPTION WHEN insufficient_privilege THEN refused := refused + 1; \
                 END; \
             END LOOP; \
         END $$"
    )
}

#[test]
fn no_reader_is_given_a_secret_that_was_none_a_moment_ago() -> Result<()> {
    let database = walked_to("secret", newest()?)?;
    roles::of_every_level(&database)?;
    let mut admin = database.client_as(&name(&database, "admin"))?;
    let open = "SELECT orchestrator.set_configuration('key', 'open', is_secret => false)";
    let secret = "SELECT orchestrator.set_configuration('key', 'hunter2', is_secret => true)";
    admin.batch_execute(open)?;
    let calls = [
        ("texts", "orchestrator.get_configuration('key')"),
        ("values", "orchestrator.configuration_value('key')::text"),
    ];
    let (done, met) = (AtomicBool::new(false), [AtomicBool::new(false), AtomicBool::new(false)]);
    thread::scope(|scope| -> Result<()> {
        let mut readers = Vec::new();
        for ((function, call), met) in calls.into_iter().zip(&met) {
            let mut reader = database.client_as(&name(&database, "reader"))?;
            reader.batch_execute(&looking(function, call))?;
            let done = &done;
            readers.push(scope.spawn(move || -> Result<Seen> {
                let mut all = Seen::default();
                while !done.load(Ordering::Relaxed) {
                    let seen = look(&mut reader, function)?;
                    all.open += seen.open;
                    all.refused += seen.refused;
                    all.secret += seen.secret;
                    met.store(all.open > 0 && all.refused > 0, Ordering::Relaxed);
                }
                Ok(all)
            }));
        }
        for change in 0..CHANGES_AT_MOST {
            let enough = met.iter().all(|met| met.load(Ordering::Relaxed));
            let over = readers.iter().any(thread::ScopedJoinHandle::is_finished);
            if over || (enough && change >= CHANGES) {
                break;
            }
            admin.batch_execute(secret)?;
            admin.batch_execute(open)?;
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            let seen = reader.join().expect("the thread ends")?;
            assert!(seen.open > 0 && seen.refused > 0, "both were met");
            assert_eq!(seen.secret, 0, "of {} answers", seen.open + seen.refused + seen.secret);
        }
        Ok(())
    })
}

#[test]
fn a_type_that_is_kept_is_the_one_that_is_there_when_the_value_is_written() -> Result<()> {
    let database = walked_to("kept_type", newest()?)?;
    let (mut first, mut second) = (database.client()?, database.client()?);
    first.batch_execute("SELECT orchestrator.set_configuration('key', '5', 'integer')")?;
    let mut transaction = first.transaction()?;
    transaction.batch_execute("SELECT orchestrator.set_configuration('key', 'on', 'boolean')")?;
    let outcome = thread::scope(|scope| -> Result<_> {
        let waiting = scope
            .spawn(|| second.batch_execute("SELECT orchestrator.set_configuration('key', '7')"));
        crate::until_one_waits(&mut database.client()?)?;
        transaction.commit()?;
        Ok(waiting.join().expect("the thread ends"))
    })?;
    let error = outcome.expect_err("7 is no boolean");
    assert_eq!(error.code(), Some(&postgres::error::SqlState::INVALID_PARAMETER_VALUE), "{error}");
    Ok(())
}
