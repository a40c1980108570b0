//! Roles at each access level, for one test.

use anyhow::{Context, Result};
use postgres::Client;
use xtask::address::quote_identifier;

use crate::Database;

/// The levels, in the order in which they are documented.
pub const LEVELS: [&str; 4] = ["reader", "worker", "reviewer", "admin"];

/// The name of a test's role of a level. It contains the unique name of the database, because roles
/// belong to the whole server.
pub fn name(database: &Database, level: &str) -> String {
    format!("{}_{level}", database.name())
}

/// Creates a login role of each level, and one without a level, `nobody`.
pub fn of_every_level(database: &Database) -> Result<()> {
    let mut client = database.client()?;
    make(&mut client, &name(database, "nobody"))?;
    for level in LEVELS {
        let role = name(database, level);
        make(&mut client, &role)?;
        grant(&mut client, &role, level)?;
    }
    Ok(())
}

/// Creates a login role, unless an earlier run left it.
pub fn make(client: &mut Client, role: &str) -> Result<()> {
    if client.query_opt("SELECT FROM pg_roles WHERE rolname = $1", &[&role])?.is_none() {
        client.batch_execute(&format!("CREATE ROLE {} LOGIN", quote_identifier(role)))?;
    }
    Ok(())
}

/// Grants a level to a role. Returns the number of privileges that changed.
pub fn grant(client: &mut Client, role: &str, level: &str) -> Result<i64> {
    const GRANT: &str = "SELECT orchestrator.grant_access((SELECT oid FROM pg_roles WHERE rolname = $1)::regrole, $2)";
    let row = client.query_one(GRANT, &[&role, &level]);
    let row = row.with_context(|| format!("grant_access({role}, {level})"))?;
    Ok(row.try_get(0)?)
}
