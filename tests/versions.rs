//! The version matrix: each way through the chain leads to the same schema and the same rows.

use anyhow::Result;
use support::Database;

const INSTALLED: &str = "SELECT extversion FROM pg_extension WHERE extname = 'orchestrator_schema'";

/// Without the base script beside the newest one, this would silently install the newest version.
#[test]
fn the_base_version_can_be_installed_by_itself() -> Result<()> {
    let database = Database::create("base")?;
    let mut client = database.client()?;
    client.batch_execute("CREATE EXTENSION orchestrator_schema VERSION '0.0.0'")?;
    let version: String = client.query_one(INSTALLED, &[])?.try_get(0)?;
    assert_eq!(version, "0.0.0");
    Ok(())
}
