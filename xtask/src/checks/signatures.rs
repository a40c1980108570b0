//! Rust and SQL agree on every function's signature. Without this check, a difference would show as
//! a crash. pgrx generates SQL from the Rust code; both forms are created, and their catalog
//! entries are compared.

mod catalog;
mod generated;
mod source;

use std::collections::BTreeMap;
use std::{fs, io};

use anyhow::{Context, Result, bail};

use self::catalog::Signature;
use crate::address::execute;
use crate::chain::Chain;
use crate::checks::check::{Check, Run};
use crate::cluster::{Cluster, Settings};
use crate::machine::project::EXTENSION;
use crate::machine::toolchain::Toolchain;

pub const CHECK: Check = Check {
    name: "signatures",
    about: "each function has the same signature in SQL and in Rust",
    run: Run::WithExtension(run),
};

const DATABASE: &str = "signatures";

fn run(toolchain: &Toolchain) -> Result<()> {
    let statements = generated::statements(toolchain)?;
    let folder = toolchain.project.sql_folder();
    let chain = Chain::read(&folder)?;
    let cluster = Cluster::start(&toolchain.pg, &Settings::default())?;
    cluster.create_database(DATABASE)?;
    let mut client = cluster.connect(DATABASE)?;

    // The signatures that each version has in SQL, by version and then by C symbol.
    let mut written: Vec<(String, BTreeMap<String, Signature>)> = Vec::new();
    for version in chain.versions() {
        let command = match written.is_empty() {
            true => format!("CREATE EXTENSION {EXTENSION} VERSION '{version}'"),
            false => format!("ALTER EXTENSION {EXTENSION} UPDATE TO '{version}'"),
        };
        execute(&mut client, &command)?;
        written.push((version.to_string(), catalog::of_extension(&mut client)?));
    }
    let derived = catalog::of_statements(&mut client, &statements)?;

    let mut differences = Vec::new();
    let mut compared: BTreeMap<&String, &Signature> = BTreeMap::new();
    for (version, functions) in &written {
        for (symbol, signature) in functions {
            // A difference is reported once, at the version that introduced it.
            if compared.insert(symbol, signature) == Some(signature) {
                continue;
            }
            match derived.get(symbol) {
                None => {
                    differences.push(format!("{version}: {symbol}: no pg_extern has this symbol"))
                }
                Some(rust) if rust != signature => differences.push(format!(
                    "{version}: {symbol}: SQL and Rust differ\n  SQL:  {signature}\n  Rust: {rust}"
                )),
                Some(_) => {}
            }
        }
    }
    // A function for one update alone has no arguments, and its script drops it again.
    let scripts = chain
        .ups()
        .map(|script| fs::read_to_string(folder.join(script.file_name())))
        .collect::<io::Result<Vec<_>>>()?;
    let for_an_update = |symbol: &str| scripts.iter().any(|script| script.contains(symbol));
    for symbol in derived.keys() {
        let is_created = written.iter().any(|(_, functions)| functions.contains_key(symbol));
        if !is_created && !for_an_update(symbol) {
            differences.push(format!("{symbol}: no script of the chain creates this pg_extern"));
        }
    }
    if !differences.is_empty() {
        bail!("{}", differences.join("\n"));
    }
    let newest = written.last().context("the chain has no version")?;
    println!("{} functions agree, {} of them at {}", derived.len(), newest.1.len(), newest.0);
    Ok(())
}
