//! `sql/manifest.json`: the objects of each version, read from the catalog after each step of a walk
//! up in a new database. Each version lists only the objects that it changed, one in a line.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};
use postgres::Client;
use serde_json::Value;

use crate::address::{execute, query};
use crate::chain::{Chain, Version};
use crate::cluster::{Cluster, Settings};
use crate::machine::pg_config::DEFAULT_MAJOR;
use crate::machine::toolchain::Toolchain;

/// Kind, then object, then its definition; none where it went away.
type Changes = BTreeMap<String, BTreeMap<String, Option<String>>>;
type Members = BTreeMap<(String, String), String>;

/// Writes the manifest.
pub fn write(toolchain: &Toolchain) -> Result<()> {
    if toolchain.pg.release.major != DEFAULT_MAJOR {
        bail!("the manifest is in the wording of PostgreSQL {DEFAULT_MAJOR}; write it with that");
    }
    let path = toolchain.project.sql_folder().join("manifest.json");
    fs::write(&path, generate(toolchain)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("Wrote {}; it is part of the library, so install again.", path.display());
    Ok(())
}

/// Fails if the committed manifest differs from a new walk.
///
/// The manifest holds definitions in the wording of the default major. On another major,
/// `verify()` compares them instead.
pub fn check(toolchain: &Toolchain) -> Result<()> {
    if toolchain.pg.release.major != DEFAULT_MAJOR {
        return walk(toolchain, |client, version| {
            let differences = query(client, "SELECT object FROM orchestrator.verify()")?;
            if differences.is_empty() {
                return Ok(());
            }
            bail!(
                "at {version} the catalog differs from the manifest in {} places",
                differences.len()
            )
        });
    }
    let path = toolchain.project.sql_folder().join("manifest.json");
    let committed =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if committed != generate(toolchain)? {
        bail!("{} is stale: run `cargo xtask manifest`", path.display());
    }
    Ok(())
}

fn generate(toolchain: &Toolchain) -> Result<String> {
    let sql = fs::read_to_string(toolchain.project.root().join("src/schema/members.sql"))
        .context("cannot read src/schema/members.sql")?;
    let mut below = Members::new();
    let mut versions = Vec::new();
    walk(toolchain, |client, version| {
        let members = members(client, &sql)?;
        versions.push(in_lines(version, &changes(&below, &members)));
        below = members;
        Ok(())
    })?;
    Ok(format!("[\n{}\n]\n", versions.join(",\n")))
}

/// Updates from the base to the newest version in a new database, and calls `look` at each version.
fn walk(
    toolchain: &Toolchain,
    mut look: impl FnMut(&mut Client, Version) -> Result<()>,
) -> Result<()> {
    let cluster = Cluster::start(&toolchain.pg, &Settings::default())?;
    cluster.create_database("manifest")?;
    let mut client = cluster.connect("manifest")?;
    execute(&mut client, "SET search_path TO pg_catalog, pg_temp")?;
    for version in Chain::read(&toolchain.project.sql_folder())?.versions() {
        let command = if *version == Version::BASE {
            format!("CREATE EXTENSION orchestrator_schema VERSION '{version}'")
        } else {
            format!("ALTER EXTENSION orchestrator_schema UPDATE TO '{version}'")
        };
        execute(&mut client, &command)?;
        look(&mut client, *version)?;
    }
    Ok(())
}

fn members(client: &mut Client, sql: &str) -> Result<Members> {
    let mut members = Members::new();
    let sql = format!("SELECT kind::text, object::text, definition::text FROM ({sql}) AS m");
    for row in query(client, &sql)? {
        members.insert((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?);
    }
    for row in query(client, COLUMN_ORDER)? {
        members.insert(("column order".to_owned(), row.try_get(0)?), row.try_get(1)?);
    }
    Ok(members)
}

/// The columns of each table in their order. `verify()` does not report another order as a
/// difference; it needs the order to find which column was renamed.
const COLUMN_ORDER: &str = "SELECT c.oid::regclass::text, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) \
     FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
     WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'r' GROUP BY c.oid";

fn changes(below: &Members, members: &Members) -> Changes {
    let mut changes = Changes::new();
    for ((kind, object), definition) in members {
        if below.get(&(kind.clone(), object.clone())) != Some(definition) {
            changes
                .entry(kind.clone())
                .or_default()
                .insert(object.clone(), Some(definition.clone()));
        }
    }
    for (kind, object) in below.keys().filter(|member| !members.contains_key(*member)) {
        changes.entry(kind.clone()).or_default().insert(object.clone(), None);
    }
    changes
}

fn in_lines(version: Version, changes: &Changes) -> String {
    let text = |text: &str| Value::from(text).to_string();
    let kinds: Vec<String> = changes
        .iter()
        .map(|(kind, objects)| {
            let lines: Vec<String> = objects
                .iter()
                .map(|(object, definition)| {
                    format!("   {}:{}", text(object), Value::from(definition.clone()))
                })
                .collect();
            format!("  {}:{{\n{}}}", text(kind), lines.join(",\n"))
        })
        .collect();
    format!(" {{\"version\":\"{version}\",\"changes\":{{\n{}}}}}", kinds.join(",\n"))
}
