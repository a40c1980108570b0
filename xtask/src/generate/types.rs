//! `types/orchestrator.ts`: the schema as TypeScript, as `typescript_types()` of a fresh install
//! gives it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use postgres::Client;

use crate::cluster::{Cluster, Settings};
use crate::machine::project::Project;
use crate::machine::toolchain::Toolchain;

/// Writes the types anew.
pub fn write(toolchain: &Toolchain) -> Result<()> {
    let cluster = Cluster::start(&toolchain.pg, &Settings::default())?;
    let types = of_fresh_install(&cluster)?;
    let path = file(&toolchain.project);
    fs::write(&path, types).with_context(|| format!("cannot write {}", path.display()))?;
    println!("Wrote {}.", path.display());
    Ok(())
}

/// Fails when the committed types are not what a fresh install gives.
pub fn check_currency(project: &Project, cluster: &Cluster) -> Result<()> {
    let path = file(project);
    let committed =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let types = of_fresh_install(cluster)?;
    if committed == types {
        return Ok(());
    }
    let line = committed.lines().zip(types.lines()).position(|(old, new)| old != new);
    let line = line.unwrap_or_else(|| committed.lines().count().min(types.lines().count())) + 1;
    bail!("{} is stale from line {line} on: run `cargo xtask types`", path.display());
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
