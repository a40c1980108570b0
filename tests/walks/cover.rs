//! Every lock that a script needs is taken at the beginning of the statement, in every step and walk.

use anyhow::Result;
use support::Database;
use support::extension::{filled_to, installed, newest, versions, walked_to};
use xtask::chain::Version;
use xtask::checks::cases;

use crate::{Block, Locked, locked_by, pid};

const UPDATE: &str = "ALTER EXTENSION orchestrator_schema UPDATE TO";

/// Holds each relation that the update of a database locks, one at a time, in another session. The first
/// call of the first script fails, and no later statement.
fn all_at_the_beginning(database: &Database, target: Version) -> Result<()> {
    statement_locks_at_its_beginning(database, &format!("{UPDATE} '{target}'"))
}

/// The same for any statement that runs scripts.
fn statement_locks_at_its_beginning(database: &Database, statement: &str) -> Result<()> {
    let mut client = database.client()?;
    let from = installed(&mut client)?.unwrap_or_default();
    let own = pid(&mut client)?;
    let older: Vec<u32> =
        client.query_one("SELECT array_agg(oid) FROM pg_class", &[])?.try_get(0)?;
    client.batch_execute(&format!("BEGIN; {statement}"))?;
    let mut observer = database.client()?;
    let locked = locked_by(&mut observer, own, Some(&older))?;
    client.batch_execute("ROLLBACK; SET lock_timeout = '1ms'")?;
    // Sessions that read or advance a sequence do not block one another.
    let weak = |relation: &Locked| relation.kind == "S" && relation.mode != "AccessExclusiveLock";
    for relation in cases::chosen(locked.into_iter().filter(|relation| !weak(relation)), 6) {
        let block = Block::against(database, &relation)?;
        let outcome = client.batch_execute(statement);
        let Err(error) = outcome else { panic!("{from}: {statement} passed {relation:?}") };
        let error = error.as_db_error().expect("the server raised the error");
        let all = format!("{from}: {statement}, {relation:?}: {error:?}");
        assert_eq!(error.code().code(), "55P03", "{all}");
        assert!(error.message().starts_with("could not lock orchestrator"), "{all}");
        let holder = error.detail().unwrap_or_default();
        assert!(holder.starts_with("It is locked by process "), "{all}");
        block.release()?;
    }
    Ok(())
}

#[test]
fn every_step_takes_all_its_locks_at_the_beginning() -> Result<()> {
    let versions = versions()?;
    for pair in cases::chosen(versions.windows(2), 8) {
        let (lower, upper) = (pair[0], pair[1]);
        let database = filled_to("cover", upper)?;
        all_at_the_beginning(&database, lower)?;
        database.client()?.batch_execute(&format!("{UPDATE} '{lower}'"))?;
        all_at_the_beginning(&database, upper)?;
    }
    Ok(())
}

#[test]
fn every_walk_takes_all_its_locks_at_the_beginning() -> Result<()> {
    let (base, middle, newest) = (Version::BASE, versions()?[versions()?.len() / 2], newest()?);
    let database = filled_to("walk", newest)?;
    let mut client = database.client()?;
    for target in [base, middle] {
        all_at_the_beginning(&database, target)?;
        client.batch_execute(&format!("{UPDATE} '{target}'"))?;
        all_at_the_beginning(&database, newest)?;
        client.batch_execute(&format!("{UPDATE} '{newest}'"))?;
    }
    Ok(())
}

/// Archives exist before a statement that creates the extension, and other sessions may read them;
/// pg_dump reads them in an order of its own.
#[test]
fn a_statement_that_creates_the_extension_over_archives_locks_them_at_the_beginning() -> Result<()>
{
    let database = filled_to("create", newest()?)?;
    let mut client = database.client()?;
    let middle = versions()?[versions()?.len() / 2];
    client.batch_execute(&format!(
        "{UPDATE} '{}'; DROP EXTENSION orchestrator_schema CASCADE",
        Version::BASE
    ))?;
    for version in [middle, newest()?] {
        let create = format!("CREATE EXTENSION orchestrator_schema VERSION '{version}'");
        statement_locks_at_its_beginning(&database, &create)?;
    }
    Ok(())
}

/// Functions whose callers wait for one another lock their entry in the catalog.
#[test]
fn a_step_waits_at_the_beginning_for_a_function_that_it_drops() -> Result<()> {
    let database = walked_to("function", newest()?)?;
    // The last version without maintenance.
    let below: Version = "0.5.0".parse()?;
    let mut client = database.client()?;
    client.batch_execute("SET lock_timeout = '10ms'")?;
    let block = Block::by(&database, "SELECT orchestrator.run_maintenance()")?;
    let error = client.batch_execute(&format!("{UPDATE} '{below}'")).expect_err("it is held");
    let error = error.as_db_error().expect("the server raised the error");
    assert!(error.message().contains("orchestrator.run_maintenance()"), "{error:?}");
    block.release()?;
    client.batch_execute(&format!("{UPDATE} '{below}'"))?;
    Ok(())
}

/// If the statement cannot be read, the first script locks for the longest walk.
#[test]
fn a_block_that_updates_locks_for_the_whole_way() -> Result<()> {
    let database = walked_to("block", newest()?)?;
    let mut client = database.client()?;
    let below = versions()?[versions()?.len() - 2];
    let block = Block::by(&database, "LOCK TABLE orchestrator.workflows IN ACCESS SHARE MODE")?;
    client.batch_execute(&format!("SET lock_timeout = '10ms'; {UPDATE} '{below}'"))?;
    client.batch_execute(&format!("{UPDATE} '{}'", newest()?))?;
    let inside = format!("DO $$ BEGIN {UPDATE} '{below}'; END $$");
    let error = client.batch_execute(&inside).expect_err("it cannot be seen where the way ends");
    assert!(
        error.as_db_error().is_some_and(|error| error.message().contains("workflows")),
        "{error:?}"
    );
    block.release()?;
    client.batch_execute(&inside)?;
    Ok(())
}

/// The locks of a statement that was undone are gone, though its transaction goes on.
#[test]
fn a_statement_after_one_that_was_undone_locks_again() -> Result<()> {
    let database = walked_to("undone", newest()?)?;
    let mut client = database.client()?;
    let down = format!("{UPDATE} '{}'", Version::BASE);
    client.batch_execute(&format!(
        "SET lock_timeout = '10ms'; BEGIN; SAVEPOINT before; {down}; ROLLBACK TO before"
    ))?;
    let block = Block::by(&database, "LOCK TABLE orchestrator.workflows IN ACCESS SHARE MODE")?;
    let error = client.batch_execute(&down).expect_err("it is held");
    let error = error.as_db_error().expect("the server raised the error");
    assert_eq!(error.code().code(), "55P03", "{error:?}");
    assert!(error.message().contains("could not lock orchestrator.workflows"), "{error:?}");
    block.release()?;
    client.batch_execute(&format!("ROLLBACK TO before; {down}; COMMIT"))?;
    Ok(())
}
