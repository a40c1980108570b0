//! `docs/reference.md`: all that a user can see and call, from the comments and the catalog of a
//! live database, from the manifest (which version brought it) and from the functions' Rust docs (errors).

mod diagrams;
mod functions;
mod markdown;
mod relations;
mod rust_docs;
mod settings;

use std::path::PathBuf;

use anyhow::Result;

use super::committed;
use super::history::History;
use crate::address::execute;
use crate::cluster::{Cluster, Settings};
use crate::machine::project::Project;
use crate::machine::toolchain::Toolchain;

const DATABASE: &str = "reference";

/// Writes the reference anew.
pub fn write(toolchain: &Toolchain) -> Result<()> {
    committed::write(&path(&toolchain.project), &generate(toolchain)?)
}

/// Fails when the committed reference is not what the database says.
pub fn check(toolchain: &Toolchain) -> Result<()> {
    committed::compare(&path(&toolchain.project), &generate(toolchain)?, "cargo xtask docs")
}

fn path(project: &Project) -> PathBuf {
    project.root().join("docs/reference.md")
}

fn generate(toolchain: &Toolchain) -> Result<String> {
    let history = History::read(&toolchain.project)?;
    let documented = rust_docs::read(&toolchain.project)?;
    let cluster = Cluster::start(&toolchain.pg, &Settings::default())?;
    cluster.create_database(DATABASE)?;
    let mut client = cluster.connect(DATABASE)?;
    execute(&mut client, "CREATE EXTENSION orchestrator_schema")?;
    execute(&mut client, "SET search_path TO pg_catalog, pg_temp")?;
    let sections = [
        heading(toolchain),
        diagrams::entities(&mut client)?,
        relations::tables(&mut client, &history)?,
        relations::views(&mut client, &history)?,
        functions::all(&mut client, &history, &documented)?,
        diagrams::state_machines(&mut client)?,
        settings::all(&mut client)?,
    ];
    Ok(format!("{}\n", sections.map(|section| section.trim_end().to_owned()).join("\n\n")))
}

fn heading(toolchain: &Toolchain) -> String {
    format!(
        "# Reference of orchestrator_schema {}\n\n\
         Written by `cargo xtask docs` from the comments of a live database; `cargo xtask check docs` compares it with a live database.\n\n\
         [Entities](#entities) · [Tables](#tables) · [Views](#views) · [Functions](#functions) · \
         [State machines](#state-machines) · [Settings](#settings)\n\n\
         All objects are in schema `orchestrator`. Nothing is granted to PUBLIC.",
        toolchain.project.version()
    )
}
