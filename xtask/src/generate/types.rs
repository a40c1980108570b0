//! `types/orchestrator.ts`: the schema as TypeScript, as `typescript_types()` of a new installation
//! returns it.

use std::path::PathBuf;

use anyhow::Result;
use postgres::Client;

use super::committed;
use crate::cluster::{Cluster, Settings};
use crate::machine::project::Project;
use crate::machine::toolchain::Toolchain;

/// Writes the types.
pub fn write(toolchain: &Toolchain) -> Result<()> {
    let cluster = Cluster::start(&toolchain.pg, &Settings::default())?;
    committed::write(&file(&toolchain.project), &of_fresh_install(&cluster)?)
}

/// Fails if the committed types differ from those of a new installation.
pub fn check_currency(project: &Project, cluster: &Cluster) -> Result<()> {
    committed::compare(&file(project), &of_fresh_install(cluster)?, "cargo xtask types")
}

/// The committed types.
pub fn file(project: &Project) -> PathBuf {
    project.root().join("types/orchestrator.ts")
}

fn of_fresh_install(cluster: &Cluster) -> Result<String> {
    const DATABASE: &str = "fresh_types";
    cluster.create_database(DATABASE)?;
    let mut client: Client = cluster.connect(DATABASE)?;
    client.batch_execute("CREATE EXTENSION orchestrator_schema")?;
    let row = client.query_one("SELECT orchestrator.typescript_types()", &[])?;
    Ok(row.try_get::<_, String>(0)? + "\n")
}
