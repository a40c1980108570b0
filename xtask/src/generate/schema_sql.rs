//! `docs/schema.sql`: the final definition of every object, each with the scripts that made it.
//! Tables come from the catalog of a live database, because several scripts make one table. Views
//! come from the last script that defines them, because each PostgreSQL major prints them in its
//! own wording.

mod comment;
mod functions;
mod scripts;
mod tables;
mod views;

use std::path::PathBuf;

use anyhow::Result;

use self::scripts::Scripts;
use super::committed;
use crate::address::execute;
use crate::cluster::{Cluster, Settings};
use crate::machine::project::Project;
use crate::machine::toolchain::Toolchain;

const DATABASE: &str = "schema_sql";

/// Writes the file.
pub fn write(toolchain: &Toolchain) -> Result<()> {
    committed::write(&path(&toolchain.project), &generate(toolchain)?)
}

/// Fails if the committed file differs from the database and the scripts.
pub fn check(toolchain: &Toolchain) -> Result<()> {
    committed::compare(&path(&toolchain.project), &generate(toolchain)?, "cargo xtask docs")
}

fn path(project: &Project) -> PathBuf {
    project.root().join("docs/schema.sql")
}

fn generate(toolchain: &Toolchain) -> Result<String> {
    let scripts = Scripts::read(&toolchain.project)?;
    let cluster = Cluster::start(&toolchain.pg, &Settings::default())?;
    cluster.create_database(DATABASE)?;
    let mut client = cluster.connect(DATABASE)?;
    execute(&mut client, "CREATE EXTENSION orchestrator_schema")?;
    execute(&mut client, "SET search_path TO pg_catalog, pg_temp")?;
    let sections = [
        heading(toolchain),
        tables::all(&mut client, &scripts)?,
        views::all(&mut client, &scripts)?,
        functions::all(&mut client, &scripts)?,
    ];
    Ok(format!("{}\n", sections.map(|section| section.trim_end().to_owned()).join("\n\n")))
}

fn heading(toolchain: &Toolchain) -> String {
    format!(
        "-- The schema of orchestrator_schema {}: the final definition of every table, view and function.\n\
         -- `cargo xtask docs` writes this file, and `cargo xtask check docs` compares it with a live database.\n\
         -- It is for reading. Each object names the scripts that made it: A--B.sql stands for sql/orchestrator_schema--A--B.sql.",
        toolchain.project.version()
    )
}
