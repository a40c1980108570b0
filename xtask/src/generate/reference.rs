//! `docs/reference.md`: all objects that a user can see and call. The comments and the catalog come from
//! a live database, the versions from the manifest, and the errors from the functions' Rust docs. The
//! Rust docs alone are also written into `src/schema/help/documentation.json`, which `help()` reads.

mod diagrams;
mod functions;
mod markdown;
mod relations;
mod rust_docs;
mod settings;

use std::path::PathBuf;

use anyhow::Result;

use self::rust_docs::Documented;
use super::committed;
use super::history::History;
use crate::address::execute;
use crate::cluster::{Cluster, Settings};
use crate::machine::toolchain::Toolchain;

const DATABASE: &str = "reference";

/// Writes `help()`'s source, and then the reference.
pub fn write(toolchain: &Toolchain) -> Result<()> {
    for (path, text) in files(toolchain)? {
        committed::write(&path, &text)?;
    }
    Ok(())
}

/// Fails if a committed file differs from the sources and the database.
pub fn check(toolchain: &Toolchain) -> Result<()> {
    for (path, text) in files(toolchain)? {
        committed::compare(&path, &text, "cargo xtask docs")?;
    }
    Ok(())
}

/// The files and their text.
fn files(toolchain: &Toolchain) -> Result<[(PathBuf, String); 2]> {
    let root = toolchain.project.root();
    let documented = rust_docs::read(&toolchain.project)?;
    Ok([
        (root.join("src/schema/help/documentation.json"), rust_docs::for_help(&documented)?),
        (root.join("docs/reference.md"), generate(toolchain, &documented)?),
    ])
}

fn generate(toolchain: &Toolchain, documented: &Documented) -> Result<String> {
    let history = History::read(&toolchain.project)?;
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
        functions::all(&mut client, &history, documented)?,
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
