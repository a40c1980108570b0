//! The extension in a test's database: walks along the chain, and rows for its tables.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use postgres::Client;
use xtask::chain::{Chain, Version};
use xtask::machine::project::Project;

use crate::Database;

/// The versions of the chain, oldest first.
pub fn versions() -> Result<Vec<Version>> {
    Ok(Chain::read(&Project::find()?.sql_folder())?.versions().to_vec())
}

/// The newest version of the chain.
pub fn newest() -> Result<Version> {
    versions()?.last().copied().context("the chain has no version")
}

/// Creates a database with the extension at a version, reached step by step from the base.
///
/// `CREATE EXTENSION … VERSION` alone may start from the newest version and walk down.
pub fn walked_to(prefix: &str, version: Version) -> Result<Database> {
    copy(prefix, version, Rows::None)
}

/// As `walked_to`, with the rows of every version on the way.
pub fn filled_to(prefix: &str, version: Version) -> Result<Database> {
    copy(prefix, version, Rows::OfEveryVersion)
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rows {
    None,
    OfEveryVersion,
}

/// A copy of a database that was walked to the version. Each program of tests walks there once, from the
/// nearest older version that it has reached.
fn copy(prefix: &str, version: Version, rows: Rows) -> Result<Database> {
    static WALKED: Mutex<BTreeMap<(Rows, Version), Database>> = Mutex::new(BTreeMap::new());
    let mut walked = WALKED.lock().unwrap_or_else(PoisonError::into_inner);
    if !walked.contains_key(&(rows, version)) {
        let below = walked.range((rows, Version::BASE)..(rows, version)).next_back();
        let (database, reached) = match below {
            Some(((_, reached), original)) => {
                (Database::copy_of(original, "walked")?, Some(*reached))
            }
            None => (Database::create("walked")?, None),
        };
        let mut client = database.client()?;
        for step in versions()? {
            if step <= version && reached.is_none_or(|reached| step > reached) {
                go_to(&mut client, step)?;
                if rows == Rows::OfEveryVersion {
                    fill(&mut client, step)?;
                }
            }
        }
        client.close()?;
        walked.insert((rows, version), database);
    }
    Database::copy_of(&walked[&(rows, version)], prefix)
}

/// Walks from the base to a version, with the rows of every version on the way.
pub fn walk_filling(client: &mut Client, version: Version) -> Result<()> {
    for step in versions()?.into_iter().take_while(|step| *step <= version) {
        go_to(client, step)?;
        fill(client, step)?;
    }
    Ok(())
}

/// Installs the base, or walks to a version from the installed one.
pub fn go_to(client: &mut Client, version: Version) -> Result<()> {
    let statement = if version == Version::BASE && installed(client)?.is_none() {
        format!("CREATE EXTENSION orchestrator_schema VERSION '{version}'")
    } else {
        format!("ALTER EXTENSION orchestrator_schema UPDATE TO '{version}'")
    };
    client.batch_execute(&statement).with_context(|| statement)?;
    let reached = installed(client)?;
    assert_eq!(reached.as_deref(), Some(version.to_string().as_str()), "the version reached");
    Ok(())
}

/// The version that is installed in a database.
pub fn installed(client: &mut Client) -> Result<Option<String>> {
    const VERSION: &str =
        "SELECT extversion FROM pg_extension WHERE extname = 'orchestrator_schema'";
    Ok(client.query_opt(VERSION, &[])?.map(|row| row.try_get(0)).transpose()?)
}

/// Inserts the rows that `tests/fixtures/<version>.sql` has for a version, if it has any.
pub fn fill(client: &mut Client, version: Version) -> Result<()> {
    let path =
        Project::find()?.root().join("tests").join("fixtures").join(format!("{version}.sql"));
    if !path.exists() {
        return Ok(());
    }
    let sql = fs::read_to_string(&path)?;
    client.batch_execute(&sql).with_context(|| format!("{}", path.display()))
}

/// The differences that `verify()` reports; none if everything is intact.
pub fn differences(client: &mut Client) -> Result<Vec<String>> {
    let rows = client.query(
        "SELECT format('%s %s %s: %s / %s', problem, kind, object, expected, actual) FROM orchestrator.verify()",
        &[],
    )?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}
