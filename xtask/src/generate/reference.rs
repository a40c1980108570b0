//! `docs/reference.md`: all that a user can see and call, from the comments and the catalog of a
//! live database, from the manifest (which version brought it) and from the functions' Rust docs (errors).

mod diagrams;
mod functions;
mod history;
mod markdown;
mod relation;
mod relations;
mod rust_docs;
mod settings;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use self::history::History;
use crate::address::execute;
use crate::cluster::{Cluster, Settings};
use crate::machine::project::Project;
use crate::machine::toolchain::Toolchain;

const DATABASE: &str = "reference";

/// Writes the reference anew.
pub fn write(toolchain: &Toolchain) -> Result<()> {
    let path = path(&toolchain.project);
    fs::write(&path, generate(toolchain)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("Wrote {}", path.display());
    Ok(())
}

/// Fails when the committed reference is not what the database says.
pub fn check(toolchain: &Toolchain) -> Result<()> {
    let path = path(&toolchain.project);
    let committed =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let current = generate(toolchain)?;
    if committed == current {
        return Ok(());
    }
    let different = committed.lines().zip(current.lines()).position(|(old, new)| old != new);
    let line = different.unwrap_or_else(|| committed.lines().count().min(current.lines().count()));
    bail!(
        "{} is stale from line {} on, where there should be\n{}\nRun `cargo xtask docs`.",
        path.display(),
        line + 1,
        current.lines().nth(line).unwrap_or("(the end)")
    )
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
         Written by `cargo xtask docs` from the comments of a live database; `cargo xtask check docs` tells when it is stale.\n\n\
         [Entities](#entities) · [Tables](#tables) · [Views](#views) · [Functions](#functions) · \
         [State machines](#state-machines) · [Settings](#settings)\n\n\
         Everything lives in schema `orchestrator`. Nothing is granted to PUBLIC.",
        toolchain.project.version()
    )
}
