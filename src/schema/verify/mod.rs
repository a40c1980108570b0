//! The database proves what it holds: the live catalog against the manifest of the installed
//! version. Beside it the statements that undo a difference (`repair`), and what users added that a
//! dump would lose (`dump`).

mod dump_safety;
mod places;
mod renames;
mod repair;
pub mod row_rules;

use std::collections::BTreeMap;

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::schema::access::{self, Deviation};
use crate::schema::archive::archives::{self, Archive};
use crate::schema::catalog::{self, Member, Members};
use crate::schema::manifest;
use crate::schema::verify::row_rules::{RULES, Rule};
use crate::server::error::Error;
use crate::server::interrupts;
use crate::server::statements::Statement;
use renames::Rename;

/// One difference between what should be and what is.
#[derive(Clone)]
struct Difference {
    member: Member,
    expected: Option<String>,
    actual: Option<String>,
}

/// Every difference between what should be and what is.
fn between(expected: &Members, actual: Members) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (member, definition) in expected {
        if actual.get(member) != Some(definition) {
            differences.push(Difference {
                member: member.clone(),
                expected: Some(definition.clone()),
                actual: actual.get(member).cloned(),
            });
        }
    }
    for (member, definition) in actual {
        if !expected.contains_key(&member) {
            differences.push(Difference { member, expected: None, actual: Some(definition) });
        }
    }
    differences
}

/// What users added to the extension's relations, or changed on their columns.
pub struct Additions(Vec<Difference>);

impl Additions {
    /// Compares the catalog with the version that is installed, or that a down script leaves. A column
    /// that was added is none: its values are archived with the others.
    pub fn find() -> Result<Additions, Error> {
        let mut expected = manifest::members_at(manifest::position(&manifest::version_left()?)?)?;
        expected.retain(|member, _| catalog::PARTS.contains(&member.kind.as_str()));
        let mut found = between(&expected, catalog::parts()?);
        found.retain(|Difference { member, expected, .. }| {
            member.kind == "column" || expected.is_none()
        });
        Ok(Additions(found))
    }

    pub fn none() -> Additions {
        Additions(Vec::new())
    }

    /// What was added to one relation and is lost with it.
    pub fn to(&self, relation: &str) -> impl Iterator<Item = &Member> {
        self.0
            .iter()
            .filter(move |difference| {
                difference.member.kind != "column" && difference.is_part_of(relation)
            })
            .map(|difference| &difference.member)
    }

    /// Kind and name of everything.
    pub fn labels(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|Difference { member, .. }| format!("{} {}", member.kind, member.object))
            .collect()
    }
}

impl Difference {
    fn problem(&self) -> &'static str {
        match (&self.expected, &self.actual) {
            (Some(_), None) => "missing",
            (None, _) => "unexpected",
            _ => "changed",
        }
    }

    /// Whether it is a part of that relation. An index, and statistics, tell by their definition.
    fn is_part_of(&self, relation: &str) -> bool {
        let definition = self.actual.as_deref().or(self.expected.as_deref()).unwrap_or_default();
        let Member { kind, object } = &self.member;
        match kind.as_str() {
            "index" => definition.contains(&format!(" ON {relation} ")),
            "statistics" => definition.ends_with(&format!(" FROM {relation}")),
            "dump configuration" | "grant to PUBLIC" if object == relation => true,
            _ => object.strip_prefix(relation).is_some_and(|rest| rest.starts_with('.')),
        }
    }

    /// Whether another difference is all there is to it: the relation that it is a part of is
    /// missing, or is none of the extension's; or it is the index of a constraint that is told.
    fn explained_by(&self, other: &Difference) -> bool {
        if other.problem() != self.problem() {
            return false;
        }
        let (whole, name) = other.member.split();
        match other.member.kind.as_str() {
            "table" | "view" if self.problem() != "changed" => {
                self.member != other.member && self.is_part_of(&other.member.object)
            }
            "function" | "sequence" | "schema" => {
                self.member.kind == "grant to PUBLIC" && self.member.object == other.member.object
            }
            "constraint" if self.member.kind == "index" => {
                self.is_part_of(whole) && self.member.split().1 == name
            }
            _ => false,
        }
    }
}

/// What is to be undone, in that order.
struct Undo {
    renames: Vec<Rename>,
    /// Every other difference that no other one explains, in an order in which each can be undone
    /// after those before it; as they are once the renames are undone.
    differences: Vec<Difference>,
}

fn to_undo(version: &str) -> Result<Undo, Error> {
    let actual = catalog::members()?;
    // Where nothing has the name that the version gives it, nothing else can be told.
    if let Some(schema) = renames::of_schema(&actual) {
        return Ok(Undo { renames: vec![schema], differences: Vec::new() });
    }
    let expected = manifest::members_at(manifest::position(version)?)?;
    let (renames, actual) = renames::find(version, &expected, actual)?;
    let all = between(&expected, actual);
    let is_explained = explained(&all);
    let mut differences: Vec<_> =
        all.iter().filter(|difference| !is_explained(difference)).cloned().collect();
    differences.sort_by_key(repair::rank);
    Ok(Undo { renames, differences })
}

/// Whether one of the differences is explained by another: it is compared with relations, which are
/// few, and with what has its name.
fn explained(all: &[Difference]) -> impl Fn(&Difference) -> bool {
    let mut relations = Vec::new();
    let mut named: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
    for other in all {
        interrupts::allow();
        match other.member.kind.as_str() {
            "table" | "view" => relations.push(other),
            "constraint" => named.entry(other.member.split().1).or_default().push(other),
            _ => named.entry(&other.member.object).or_default().push(other),
        }
    }
    move |difference| {
        let names = [difference.member.split().1, difference.member.object.as_str()];
        let alike = names.into_iter().filter_map(|name| named.get(name)).flatten();
        alike.chain(&relations).any(|other| {
            interrupts::allow();
            difference.explained_by(other)
        })
    }
}

/// One row of `verify()`: object, kind, problem, expected, actual, hint.
type Finding = (String, String, String, Option<String>, Option<String>, String);

/// The rules that rows break; of a version's own tables, and only of those that are as they should
/// be, so that the rule's query can run.
fn broken_rules(version: &str, undo: &Undo) -> Result<Vec<Finding>, Error> {
    let members = manifest::members_at(manifest::position(version)?)?;
    let is_intact = |table: &&str| {
        let member = Member { kind: "table".to_owned(), object: (*table).to_owned() };
        let differs = |difference: &Difference| {
            let object = difference.member.object.as_str();
            let kind = difference.member.kind.as_str();
            (kind == "table" && object == *table)
                || (kind == "column" && difference.member.split().0 == *table)
        };
        let is_renamed = |rename: &Rename| {
            rename.kind == "schema"
                || rename.due == *table
                || (rename.kind == "column" && catalog::split(&rename.due).0 == *table)
        };
        members.contains_key(&member)
            && !undo.renames.iter().any(is_renamed)
            && !undo.differences.iter().any(differs)
    };
    let mut findings = Vec::new();
    for rule in RULES.iter().filter(|rule| rule.reads.iter().all(is_intact)) {
        let Rule { table, expected, hint, .. } = rule;
        if let Some(actual) = rule.broken()? {
            findings.push((
                (*table).to_owned(),
                "rows".to_owned(),
                "broken rule".to_owned(),
                Some((*expected).to_owned()),
                Some(actual),
                (*hint).to_owned(),
            ));
        }
    }
    Ok(findings)
}

/// Compares the live catalog with the manifest of the installed version, the rows with the rules
/// that no constraint can hold, and the privileges of roles with their levels; and tells what waits
/// in the archive although the version has a place for it.
///
/// Returns: one row per difference - the object, its kind, what is wrong with it (missing,
/// unexpected, changed, renamed, broken rule, waiting), what is expected and what is there, and the next
/// step; no row when everything is intact. Since 0.0.0; rules over rows since 0.2.1.
#[pg_extern(sql = false, stable, parallel_restricted)]
fn verify() -> Result<
    TableIterator<
        'static,
        (
            name!(object, String),
            name!(kind, String),
            name!(problem, String),
            name!(expected, Option<String>),
            name!(actual, Option<String>),
            name!(hint, String),
        ),
    >,
    ErrorReport,
> {
    let version = catalog::installed_version()?;
    let undo = to_undo(&version)?;
    let broken = broken_rules(&version, &undo)?;
    let mut rows = Vec::new();
    for rename in &undo.renames {
        let (kind, problem) = (rename.kind.to_owned(), "renamed".to_owned());
        let (due, is) = (rename.due.clone(), rename.is.clone());
        rows.push((due.clone(), kind, problem, Some(due), Some(is), rename.undo()));
    }
    if undo.renames.iter().any(|rename| rename.kind == "schema") {
        return Ok(TableIterator::new(rows));
    }
    for difference in undo.differences {
        let (problem, hint) =
            (difference.problem().to_owned(), repair::hint(&difference, &version)?);
        let Difference { member, expected, actual } = difference;
        rows.push((member.object, member.kind, problem, expected, actual, hint));
    }
    rows.extend(broken);
    let levels = Member { kind: "function".to_owned(), object: "orchestrator.access()".to_owned() };
    let levels = manifest::has(&version, &levels)?;
    let waiting_archives = archives::waiting(levels)?;
    let levels_wait =
        waiting_archives.iter().any(|archive| archive.belongs_to == access::KEPT_LEVELS);
    rows.extend(waiting_archives.into_iter().map(waiting));
    if levels {
        rows.extend(access_deviations(levels_wait)?);
    }
    Ok(TableIterator::new(rows))
}

/// An archive that waits although the version has a place for it: CREATE EXTENSION in a restore
/// of an older version's dump comes before the archive.
fn waiting(archive: Archive) -> Finding {
    let (kind, problem) = ("archive".to_owned(), "waiting".to_owned());
    let version = archive.from_version.as_deref().unwrap_or("an unknown version");
    let actual = format!("kept at {version}, and not given back since");
    let hint = "SELECT * FROM orchestrator.restore_archived();".to_owned();
    let expected = format!("given back to {}", archive.object());
    (archive.table.to_string(), kind, problem, Some(expected), Some(actual), hint)
}

/// The roles whose privileges are not those of their level.
fn access_deviations(levels_wait: bool) -> Result<Vec<Finding>, Error> {
    let deviations = access::deviations(levels_wait)?.into_iter();
    Ok(deviations
        .map(|Deviation { role, level, actual, hint }| {
            let (kind, problem) = ("access level".to_owned(), "changed".to_owned());
            (role, kind, problem, Some(level.to_owned()), Some(actual), hint)
        })
        .collect())
}

/// A fingerprint of the live members: equal for equal schemas, whatever path led there.
///
/// Returns: SHA-256 in hexadecimal. Since 0.0.0.
#[pg_extern(sql = false, stable, parallel_restricted)]
fn fingerprint() -> Result<String, ErrorReport> {
    static HASH: Statement = Statement::new("SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')");
    let text: String = catalog::members()?
        .into_iter()
        .map(|(Member { kind, object }, definition)| format!("{kind}\t{object}\t{definition}\n"))
        .collect();
    Ok(HASH
        .select(&[text.as_str().into()], |rows| crate::server::rows::only(rows, "fingerprint"))?)
}
