//! `sql/manifest.json`: the members of each version with their facts, read from the catalog after each
//! step of a fresh walk up. Each version holds only what it changed, one object a line.
//!
//! The facts are those of the default major. Another one that words some of them otherwise adds its
//! wording to the same file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, bail};
use postgres::Client;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::address::{execute, query};
use crate::chain::{Chain, Version};
use crate::cluster::{Cluster, Settings};
use crate::generate::committed;
use crate::machine::pg_config::DEFAULT_MAJOR;
use crate::machine::toolchain::Toolchain;

type Facts = Map<String, Value>;
/// Kind and name, with the facts.
type Members = BTreeMap<(String, String), Facts>;
/// Kind, then object, then its facts; none where it went away.
type Changes = BTreeMap<String, BTreeMap<String, Option<Facts>>>;
/// The columns of each table as they follow each other; none where the table went away.
type Columns = BTreeMap<String, Option<Vec<String>>>;

#[derive(Deserialize)]
struct Manifest {
    /// The majors whose wording it holds.
    majors: BTreeSet<u32>,
    versions: Vec<Delta>,
}

#[derive(Deserialize)]
struct Delta {
    version: String,
    changes: Changes,
    columns: Columns,
}

/// Writes the manifest, or into it the wording of another major than the default one.
pub fn write(toolchain: &Toolchain) -> Result<()> {
    committed::write(&path(toolchain), &generate(toolchain)?)?;
    println!("It is part of the library, so install again.");
    let majors = read(toolchain)?.majors;
    println!("It has the wording of PostgreSQL {majors:?}; run this with each of them.");
    Ok(())
}

/// Fails when the committed manifest is not what a fresh walk gives.
pub fn check(toolchain: &Toolchain) -> Result<()> {
    committed::compare(&path(toolchain), &generate(toolchain)?, "cargo xtask manifest")?;
    // The library says the same of each version.
    walk(toolchain, |client, version| {
        let differences = query(client, "SELECT object FROM orchestrator.verify()")?;
        if differences.is_empty() {
            return Ok(());
        }
        let number = differences.len();
        bail!("at {version} the catalog differs from the manifest in {number} places")
    })
}

fn path(toolchain: &Toolchain) -> std::path::PathBuf {
    toolchain.project.sql_folder().join("manifest.json")
}

fn read(toolchain: &Toolchain) -> Result<Manifest> {
    let path = path(toolchain);
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no manifest", path.display()))
}

/// The manifest as this major leaves it.
fn generate(toolchain: &Toolchain) -> Result<String> {
    let major = toolchain.pg.release.major;
    let walked = walked(toolchain)?;
    let mut committed =
        read(toolchain).unwrap_or(Manifest { majors: BTreeSet::new(), versions: Vec::new() });
    if major != DEFAULT_MAJOR {
        committed.add_wording(major, &walked)?;
        return Ok(committed.in_lines());
    }
    let majors = committed.majors.iter().copied().chain([DEFAULT_MAJOR]).collect();
    let mut manifest = Manifest { majors, versions: walked };
    manifest.keep_wording_of(&committed);
    Ok(manifest.in_lines())
}

/// What each version changed, on this major.
fn walked(toolchain: &Toolchain) -> Result<Vec<Delta>> {
    let sql = fs::read_to_string(toolchain.project.root().join("src/schema/members.sql"))
        .context("cannot read src/schema/members.sql")?;
    let (mut below, mut columns_below) = (Members::new(), Columns::new());
    let mut versions = Vec::new();
    walk(toolchain, |client, version| {
        let (members, columns) = (members(client, &sql)?, columns(client)?);
        versions.push(Delta {
            version: version.to_string(),
            changes: changes(&below, &members),
            columns: columns_changed(&columns_below, &columns),
        });
        (below, columns_below) = (members, columns);
        Ok(())
    })?;
    Ok(versions)
}

impl Manifest {
    /// The changed members of all versions.
    fn facts(&mut self) -> impl Iterator<Item = ((String, String, String), &mut Facts)> {
        self.versions.iter_mut().flat_map(|delta| {
            let version = delta.version.clone();
            delta.changes.iter_mut().flat_map(move |(kind, objects)| {
                let (version, kind) = (version.clone(), kind.clone());
                objects.iter_mut().filter_map(move |(object, facts)| {
                    Some(((version.clone(), kind.clone(), object.clone()), facts.as_mut()?))
                })
            })
        })
    }

    /// Notes how a major words the facts, where it does otherwise than the majors before it.
    fn add_wording(&mut self, major: u32, walked: &[Delta]) -> Result<()> {
        self.majors.insert(major);
        for ((version, kind, object), facts) in self.facts() {
            let delta = walked.iter().find(|delta| delta.version == version);
            let worded = delta.and_then(|delta| delta.changes.get(&kind)?.get(&object)?.as_ref());
            let Some(worded) = worded else {
                bail!(
                    "PostgreSQL {major} has no change of {kind} {object} in {version}: is the manifest stale?"
                )
            };
            add_wording(facts, major, worded)
                .with_context(|| format!("{kind} {object} in {version}"))?;
        }
        Ok(())
    }

    /// Keeps the wordings of other majors where the facts are as they were.
    fn keep_wording_of(&mut self, committed: &Manifest) {
        for ((version, kind, object), facts) in self.facts() {
            let before = committed.versions.iter().find(|delta| delta.version == version);
            let before = before.and_then(|delta| delta.changes.get(&kind)?.get(&object)?.clone());
            let Some(mut before) = before else { continue };
            let wording = before.remove("wording");
            if let Some(wording) = wording.filter(|_| before == *facts) {
                facts.insert("wording".to_owned(), wording);
            }
        }
    }

    fn in_lines(&self) -> String {
        let majors = Value::from_iter(self.majors.iter().copied());
        let versions: Vec<_> = self.versions.iter().map(Delta::in_lines).collect();
        format!("{{\"majors\":{majors},\"versions\":[\n{}\n]}}\n", versions.join(",\n"))
    }
}

/// Notes how a major words the facts of one member.
fn add_wording(facts: &mut Facts, major: u32, worded: &Facts) -> Result<()> {
    let mut wording: BTreeMap<u32, Facts> = match facts.remove("wording") {
        Some(wording) => serde_json::from_value(wording)?,
        None => BTreeMap::new(),
    };
    if !facts.keys().eq(worded.keys()) {
        bail!("PostgreSQL {major} has other facts than {DEFAULT_MAJOR}: {worded:?}");
    }
    wording.insert(major, worded.clone());
    // Each keeps only what those before it say otherwise.
    let mut known = facts.clone();
    for worded in wording.values_mut() {
        worded.retain(|name, value| known.get(name) != Some(value));
        known.extend(worded.clone());
    }
    wording.retain(|_, worded| !worded.is_empty());
    if !wording.is_empty() {
        facts.insert("wording".to_owned(), serde_json::to_value(wording)?);
    }
    Ok(())
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
    let sql =
        format!("SELECT kind::text, object::text, part_of::text, facts::text FROM ({sql}) AS m");
    for row in query(client, &sql)? {
        let (kind, object): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let mut facts: Facts = serde_json::from_str(row.try_get(3)?)?;
        // The whole that the name names is not written twice.
        let whole: Option<&str> = row.try_get(2)?;
        let is_named = |whole: &str| {
            object.strip_prefix(whole).is_some_and(|name| name.is_empty() || name.starts_with('.'))
        };
        if let Some(whole) = whole.filter(|whole| !is_named(whole)) {
            facts.insert("part_of".to_owned(), Value::from(whole));
        }
        members.insert((kind, object), facts);
    }
    Ok(members)
}

/// No difference of `verify()`, but what shows it which column was renamed.
fn columns(client: &mut Client) -> Result<Columns> {
    const COLUMNS: &str = "SELECT c.oid::regclass::text, array_agg(quote_ident(a.attname) ORDER BY a.attnum) \
         FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind = 'r' GROUP BY c.oid";
    let mut columns = Columns::new();
    for row in query(client, COLUMNS)? {
        columns.insert(row.try_get(0)?, Some(row.try_get(1)?));
    }
    Ok(columns)
}

fn changes(below: &Members, members: &Members) -> Changes {
    let mut changes = Changes::new();
    for (member @ (kind, object), facts) in members {
        if below.get(member) != Some(facts) {
            let of_kind = changes.entry(kind.clone()).or_default();
            of_kind.insert(object.clone(), Some(facts.clone()));
        }
    }
    for (kind, object) in below.keys().filter(|member| !members.contains_key(*member)) {
        changes.entry(kind.clone()).or_default().insert(object.clone(), None);
    }
    changes
}

fn columns_changed(below: &Columns, columns: &Columns) -> Columns {
    let changed = columns.iter().filter(|(table, names)| below.get(*table) != Some(names));
    let gone = below.keys().filter(|table| !columns.contains_key(*table));
    let changed = changed.map(|(table, names)| (table.clone(), names.clone()));
    changed.chain(gone.map(|table| (table.clone(), None))).collect()
}

impl Delta {
    fn in_lines(&self) -> String {
        let text = |text: &str| Value::from(text).to_string();
        let kinds: Vec<String> = self
            .changes
            .iter()
            .map(|(kind, objects)| {
                let lines: Vec<String> = objects
                    .iter()
                    .map(|(object, facts)| {
                        let facts = facts.clone().map_or(Value::Null, Value::Object);
                        format!("{}:{facts}", text(object))
                    })
                    .collect();
                format!("{}:{{\n{}}}", text(kind), lines.join(",\n"))
            })
            .collect();
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|(table, names)| format!("{}:{}", text(table), serde_json::json!(names)))
            .collect();
        format!(
            "{{\"version\":\"{}\",\"changes\":{{\n{}}},\"columns\":{{\n{}}}}}",
            self.version,
            kinds.join(",\n"),
            columns.join(",\n")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(pairs: Value) -> Facts {
        serde_json::from_value(pairs).expect("an object")
    }

    #[test]
    fn a_major_adds_its_wording_where_it_differs_from_those_before() -> Result<()> {
        let json = |value: &str| -> Value { serde_json::from_str(value).expect("JSON") };
        let mut of_view = facts(json(r#"{"query":"a","reads":["t"]}"#));
        add_wording(&mut of_view, 17, &facts(json(r#"{"query":"b","reads":["t"]}"#)))?;
        add_wording(&mut of_view, 18, &facts(json(r#"{"query":"b","reads":["t"]}"#)))?;
        let due = r#"{"query":"a","reads":["t"],"wording":{"17":{"query":"b"}}}"#;
        assert_eq!(of_view, facts(json(due)));
        // The same again, and a wording that is no other any more.
        add_wording(&mut of_view, 17, &facts(json(r#"{"query":"a","reads":["t"]}"#)))?;
        assert_eq!(of_view, facts(json(r#"{"query":"a","reads":["t"]}"#)));
        let lacks_one = add_wording(&mut of_view, 18, &facts(json(r#"{"query":"a"}"#)));
        assert!(lacks_one.is_err());
        Ok(())
    }
}
