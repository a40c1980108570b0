//! Compares the live catalog with the manifest of the installed version. `repair` has the statements
//! that undo a difference, `renames` the search for renamed members, `dump_safety` the additions of
//! users that a dump would lose.

mod dump_safety;
mod renames;
mod repair;
pub mod row_rules;
mod undo;

use std::sync::Arc;

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::schema::access::{self, Deviation};
use crate::schema::archive::archives::{self, Archive};
use crate::schema::difference::Difference;
use crate::schema::facts::{Facts, Member, split};
use crate::schema::verify::row_rules::{RULES, Rule};
use crate::schema::{catalog, definition, manifest};
use crate::server::backend_state;
use crate::server::error::Error;
use crate::server::statements::Statement;
use renames::Rename;
use undo::{Undo, to_undo};

/// One row of `verify()`: object, kind, problem, expected, actual, hint.
type Finding = (String, String, String, Option<String>, Option<String>, String);

/// The rules that rows break. A rule is checked only if the version has all that it reads and it is
/// intact, so that its query can run.
fn broken_rules(version: &str, undo: &Undo) -> Result<Vec<Finding>, Error> {
    let members = manifest::members_at(manifest::position(version)?)?;
    let has = |kind: &str, object: &str| {
        members.contains_key(&Member { kind: kind.to_owned(), object: object.to_owned() })
    };
    let is_intact = |table: &&str| {
        let differs = |difference: &Difference| {
            let object = difference.member.object.as_str();
            let kind = difference.member.kind.as_str();
            (kind == "table" && object == *table)
                || (kind == "column" && difference.member.split().0 == *table)
        };
        let is_renamed = |rename: &Rename| {
            rename.kind == "schema"
                || rename.due == *table
                || (rename.kind == "column" && split(&rename.due).0 == *table)
        };
        has("table", table)
            && !undo.renames.iter().any(is_renamed)
            && !undo.differences.iter().any(differs)
    };
    let mut findings = Vec::new();
    for rule in RULES.iter().filter(|rule| {
        rule.reads.iter().all(is_intact) && rule.column.is_none_or(|column| has("column", column))
    }) {
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
/// that no constraint can hold, and the privileges of roles with their levels. Also reports archives
/// that the installed version can restore and that nobody has tried to restore.
///
/// Returns: one row per difference - the object, its kind, the problem (missing, unexpected, changed,
/// renamed, broken rule, waiting), the expected and the actual definition, and the next step; no row
/// if everything is intact. Since 0.0.0; rules over rows since 0.2.1.
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
    if let Some(majors) = manifest::majors_but_this()? {
        backend_state::notice(
            format!("the manifest has no wording of views for PostgreSQL {}", manifest::MAJOR),
            Some(format!(
                "It has the wordings of PostgreSQL {}. Facts that depend on the wording are not compared.",
                in_list(majors)
            )),
        );
    }
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
        let in_words =
            |facts: Option<Arc<Facts>>| facts.map(|facts| definition::of(&member, &facts));
        let (expected, actual) = (in_words(expected), in_words(actual));
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

fn in_list(majors: &[u16]) -> String {
    majors.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

/// An archive that the installed version can restore. When a dump of an older version is restored,
/// CREATE EXTENSION runs before the archive exists.
fn waiting(archive: Archive) -> Finding {
    let (kind, problem) = ("archive".to_owned(), "waiting".to_owned());
    let version = archive.from_version.as_deref().unwrap_or("an unknown version");
    let actual = format!("archived at {version}, not restored since");
    let hint = "SELECT * FROM orchestrator.restore_archived();".to_owned();
    let expected = format!("restored to {}", archive.object());
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

/// A fingerprint of the live members: equal for equal schemas, whatever upgrades led to them.
///
/// Returns: SHA-256 in hexadecimal. Since 0.0.0.
#[pg_extern(sql = false, stable, parallel_restricted)]
fn fingerprint() -> Result<String, ErrorReport> {
    static HASH: Statement = Statement::new("SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')");
    let version = catalog::installed_version()?;
    let due = manifest::members_at(manifest::position(&version)?)?;
    // Servers word the same view in different ways.
    let definition = |member: &Member, facts: &Facts| match due.get(member) {
        Some(due) if due.is_met_by(facts) => definition::of(member, &due.in_oldest_words()),
        _ => definition::of(member, facts),
    };
    let text: String = catalog::members()?
        .into_iter()
        .map(|(member, facts)| {
            format!("{}\t{}\t{}\n", member.kind, member.object, definition(&member, &facts))
        })
        .collect();
    Ok(HASH
        .select(&[text.as_str().into()], |rows| crate::server::rows::only(rows, "fingerprint"))?)
}
