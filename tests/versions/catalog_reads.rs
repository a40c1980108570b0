//! The number of times that the whole catalog is read: once by each function that reports on it, and never by a step down,
//! which looks at the tables that it archives alone.

use std::fs;

use anyhow::Result;
use postgres::{Client, GenericClient};
use support::extension::{newest, versions, walked_to};
use xtask::chain::Version;
use xtask::machine::project::Project;

/// The number of scans of a table in this transaction. The server itself does not scan this table, and
/// each reading of the members scans it once.
const READS: &str = "SELECT pg_stat_get_xact_numscans('pg_statistic_ext'::regclass)";

fn reads(client: &mut impl GenericClient) -> Result<i64> {
    Ok(client.query_one(READS, &[])?.try_get(0)?)
}

/// How often a statement reads the catalog.
fn read_by(client: &mut Client, statement: &str) -> Result<i64> {
    let mut transaction = client.transaction()?;
    let before = reads(&mut transaction)?;
    transaction.batch_execute(statement)?;
    let read = reads(&mut transaction)? - before;
    transaction.commit()?;
    Ok(read)
}

#[test]
fn each_report_reads_the_catalog_once() -> Result<()> {
    let database = walked_to("reports", newest()?)?;
    let mut client = database.client()?;
    for (statement, expected) in [
        ("SELECT orchestrator.uuidv7()", 0),
        ("SELECT * FROM orchestrator.verify()", 1),
        ("SELECT * FROM orchestrator.verify()", 1),
        ("SELECT * FROM orchestrator.dump_safety()", 1),
        ("SELECT * FROM orchestrator.downgrade_plan('0.0.0')", 0),
    ] {
        assert_eq!(read_by(&mut client, statement)?, expected, "{statement}");
    }
    Ok(())
}

/// A step up reads the catalog only if it restores columns, to find the objects that depend on them.
#[test]
fn no_step_down_reads_the_catalog_and_a_step_up_for_columns_alone() -> Result<()> {
    let database = walked_to("steps", newest()?)?;
    let mut client = database.client()?;
    let versions = versions()?;
    for pair in versions.windows(2).rev() {
        let down = step_to(pair[0]);
        assert_eq!(read_by(&mut client, &down)?, 0, "{down}");
    }
    let sql = Project::find()?.root().join("sql");
    for pair in versions.windows(2) {
        let script = sql.join(format!("orchestrator_schema--{}--{}.sql", pair[0], pair[1]));
        let given_back = fs::read_to_string(script)?.matches("restore_columns(").count();
        let up = step_to(pair[1]);
        let read = read_by(&mut client, &up)?;
        assert!(read <= given_back as i64, "{up} reads the catalog {read} times");
    }
    Ok(())
}

/// A session that shuns long reads has plans that seem to cost much. The server would compile them, which takes seconds,
/// to run them in less than a tenth.
#[test]
fn no_report_is_compiled() -> Result<()> {
    const IS_LOADED: &str = "SELECT pg_read_file('/proc/self/maps') LIKE '%llvmjit%'";
    let database = walked_to("compiled", newest()?)?;
    // To ask whether the compiler is there loads it.
    if !database.client()?.query_one("SELECT pg_jit_available()", &[])?.try_get(0)? {
        println!("not tried: the server cannot compile");
        return Ok(());
    }
    let mut compiled = Vec::new();
    for report in ["verify", "fingerprint", "dump_safety", "access", "archived", "help"] {
        let mut client = database.client()?;
        let statement = format!("SELECT orchestrator.{report}()");
        client.batch_execute(&format!("SET enable_seqscan = off; {statement}"))?;
        if client.query_one(IS_LOADED, &[])?.try_get(0)? {
            compiled.push(statement);
        }
    }
    assert_eq!(compiled, [""; 0]);
    Ok(())
}

fn step_to(version: Version) -> String {
    format!("ALTER EXTENSION orchestrator_schema UPDATE TO '{version}'")
}
