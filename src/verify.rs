//! The database proves what it holds: the live catalog against the manifest of the installed
//! version, and what users added that a dump would lose.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::access::{self, Deviation};
use crate::catalog::{self, Member};
use crate::error::Error;
use crate::integrity::{RULES, Rule};
use crate::manifest;

/// One difference between what should be and what is.
struct Difference {
    member: Member,
    expected: Option<String>,
    actual: Option<String>,
}

/// Every difference between the live catalog and the manifest of `version`.
fn differences(version: &str) -> Result<Vec<Difference>, Error> {
    let expected = manifest::members_at(manifest::position(version)?)?;
    let actual = catalog::members()?;
    let mut differences = Vec::new();
    for (member, definition) in &expected {
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
    Ok(differences)
}

/// What users added to a table and a downgrade would silently lose. Columns are no part of it:
/// their values are archived with the others.
pub fn additions_to(table: &str) -> Result<Vec<Member>, Error> {
    const KINDS: [&str; 5] = ["index", "constraint", "trigger", "policy", "rule"];
    let part_of_table = |difference: &Difference| {
        let Difference { member, actual, .. } = difference;
        member.object.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'))
            || actual.as_deref().unwrap_or_default().contains(&format!(" ON {table} "))
    };
    Ok(differences(&manifest::version_left()?)?
        .into_iter()
        .filter(|difference| difference.expected.is_none())
        .filter(|difference| KINDS.contains(&difference.member.kind.as_str()))
        .filter(part_of_table)
        .map(|difference| difference.member)
        .collect())
}

impl Difference {
    fn problem(&self) -> &'static str {
        match (&self.expected, &self.actual) {
            (Some(_), None) => "missing",
            (None, _) => "unexpected",
            _ => "changed",
        }
    }

    /// The table, and the name of the part of it, of a member such as a column.
    fn part(&self) -> (&str, &str) {
        self.member.object.rsplit_once('.').unwrap_or(("", &self.member.object))
    }

    /// Whether the whole of the table or view that this is a part of is missing.
    fn explained_by(&self, missing: &[String]) -> bool {
        let definition = self.expected.as_deref().unwrap_or_default();
        missing.iter().any(|table| {
            self.member
                .object
                .strip_prefix(table.as_str())
                .is_some_and(|rest| rest.starts_with('.'))
                || (self.member.object == *table && self.member.kind == "dump configuration")
                || (self.member.kind == "index" && definition.contains(&format!(" ON {table} ")))
        })
    }

    /// The next step towards what should be.
    fn hint(&self) -> String {
        let object = &self.member.object;
        let (table, name) = self.part();
        let actual = self.actual.as_deref().unwrap_or_default();
        match (self.member.kind.as_str(), &self.expected) {
            ("column", None) => format!("ALTER TABLE {table} DROP COLUMN {name};"),
            ("constraint", None) => format!("ALTER TABLE {table} DROP CONSTRAINT {name};"),
            ("constraint", Some(_)) if actual.ends_with("NOT VALID") => {
                format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name};")
            }
            ("constraint", Some(_)) if actual.ends_with("DISABLED") => {
                format!("ALTER TABLE {table} ENABLE TRIGGER ALL;")
            }
            ("constraint", Some(definition)) if self.actual.is_none() => {
                format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition};")
            }
            ("index", None) => format!("DROP INDEX {object};"),
            ("index", Some(_)) if actual.ends_with("INVALID") => format!("REINDEX INDEX {object};"),
            ("index", Some(definition)) if self.actual.is_none() => format!("{definition};"),
            ("trigger", None) => format!("DROP TRIGGER {name} ON {table};"),
            ("trigger", Some(definition)) if actual.starts_with(definition.as_str()) => {
                format!("ALTER TABLE {table} ENABLE TRIGGER {name};")
            }
            ("trigger", Some(definition)) if self.actual.is_none() => format!("{definition};"),
            ("rule", None) => format!("DROP RULE {name} ON {table};"),
            ("policy", None) => format!("DROP POLICY {name} ON {table};"),
            ("grant to PUBLIC", _) => {
                format!("REVOKE {actual} ON {} FROM PUBLIC;", self.granted_on())
            }
            ("table" | "view" | "function" | "sequence", None) => {
                format!(
                    "ALTER EXTENSION orchestrator_schema DROP {} {object};",
                    self.member.kind.to_uppercase()
                )
            }
            _ => self.make_again(),
        }
    }

    /// What a grant is on, as GRANT and REVOKE name it.
    fn granted_on(&self) -> String {
        let object = &self.member.object;
        match object.matches('.').count() {
            0 => format!("SCHEMA {object}"),
            _ if object.ends_with(')') => format!("FUNCTION {object}"),
            1 => format!("TABLE {object}"),
            _ => format!("TABLE {}", self.part().0),
        }
    }

    /// A downgrade below the version that brought the member makes it anew, and loses nothing.
    fn make_again(&self) -> String {
        let place = manifest::introduced(&self.member.kind, &self.member.object);
        let versions = manifest::versions().unwrap_or_default();
        match place.ok().filter(|place| *place > 0).and_then(|place| versions.get(place - 1)) {
            Some(below) => format!(
                "ALTER EXTENSION orchestrator_schema UPDATE TO '{below}'; then UPDATE again: it is made anew and no row is lost."
            ),
            None => {
                "Restore a dump into a database with a fresh CREATE EXTENSION orchestrator_schema."
                    .to_owned()
            }
        }
    }
}

/// One row of `verify()`: object, kind, problem, expected, actual, hint.
type Finding = (String, String, String, Option<String>, Option<String>, String);

/// The rules that rows break; of a version's own tables, and only of those that are as they should
/// be, so that the rule's query can run.
fn broken_rules(version: &str, differences: &[Difference]) -> Result<Vec<Finding>, Error> {
    let members = manifest::members_at(manifest::position(version)?)?;
    let is_intact = |table: &&str| {
        let member = Member { kind: "table".to_owned(), object: (*table).to_owned() };
        let differs = |difference: &Difference| {
            let object = difference.member.object.as_str();
            let kind = difference.member.kind.as_str();
            (kind == "table" && object == *table)
                || (kind == "column" && difference.part().0 == *table)
        };
        members.contains_key(&member) && !differences.iter().any(differs)
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

/// Compares the live catalog with the manifest of the installed version, and the rows with the
/// rules that no constraint can hold.
///
/// Returns: one row per difference – the object, its kind, what is wrong with it (missing,
/// unexpected, changed, broken rule), what is expected and what is there, and the next step; no row
/// when everything is intact. Since 0.0.0; rules over rows since 0.2.1.
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
    let differences = differences(&version)?;
    let broken = broken_rules(&version, &differences)?;
    let missing: Vec<String> = differences
        .iter()
        .filter(|difference| difference.actual.is_none() && difference.member.kind == "table")
        .map(|difference| difference.member.object.clone())
        .collect();
    let rows: Vec<_> = differences
        .into_iter()
        .filter(|difference| !difference.explained_by(&missing))
        .map(|difference| {
            let (problem, hint) = (difference.problem().to_owned(), difference.hint());
            let Difference { member, expected, actual } = difference;
            (member.object, member.kind, problem, expected, actual, hint)
        })
        .chain(broken)
        .chain(access_deviations(&version)?)
        .collect();
    Ok(TableIterator::new(rows))
}

/// The roles whose privileges are not those of their level, at a version that has levels.
fn access_deviations(version: &str) -> Result<Vec<Finding>, Error> {
    let levels = Member { kind: "function".to_owned(), object: "orchestrator.access()".to_owned() };
    if !manifest::has(version, &levels)? {
        return Ok(Vec::new());
    }
    let deviations = access::deviations()?.into_iter();
    Ok(deviations
        .map(|Deviation { role, level, actual, hint }| {
            let (kind, problem) = ("access level".to_owned(), "changed".to_owned());
            (role, kind, problem, Some(level.to_owned()), Some(actual), hint)
        })
        .collect())
}

/// What users added to the extension's tables, or changed on them, that pg_dump would lose.
///
/// Returns: the object, its kind, `error` where rows would be lost and `warning` otherwise, what
/// a restore of a dump would do, and the next step. Since 0.0.0.
#[pg_extern(sql = false, stable, parallel_restricted)]
fn dump_safety() -> Result<
    TableIterator<
        'static,
        (
            name!(object, String),
            name!(kind, String),
            name!(severity, String),
            name!(consequence, String),
            name!(hint, String),
        ),
    >,
    ErrorReport,
> {
    let rows: Vec<_> = differences(&catalog::installed_version()?)?
        .into_iter()
        .filter_map(|difference| {
            let (severity, consequence) = consequence(&difference)?;
            let hint = match difference.member.kind.as_str() {
                "column" if difference.expected.is_none() => format!(
                    "Keep its values in a table of your own, then {}",
                    difference.hint()
                ),
                _ => "Keep the statement that made it beside your dumps, and run it again after a restore.".to_owned(),
            };
            let Member { kind, object } = difference.member;
            Some((object, kind, severity.to_owned(), consequence, hint))
        })
        .collect();
    Ok(TableIterator::new(rows))
}

/// What a restored dump would lack; nothing for what a dump does not carry in any case.
fn consequence(difference: &Difference) -> Option<(&'static str, String)> {
    let (table, _) = difference.part();
    let kind = difference.member.kind.as_str();
    match (kind, &difference.expected, &difference.actual) {
        ("column", None, _) => Some((
            "error",
            format!(
                "{table} restores empty: its rows name a column that CREATE EXTENSION does not make"
            ),
        )),
        ("column", Some(_), Some(_)) => Some((
            "warning",
            "a restore has the column as the version defines it, and its values may not fit"
                .to_owned(),
        )),
        ("table", Some(_), Some(_)) => {
            Some(("warning", "a restore has the table without these options".to_owned()))
        }
        ("index" | "constraint" | "trigger" | "policy" | "rule", None, _) => {
            Some(("warning", format!("a restore does not have this {kind}")))
        }
        ("constraint" | "trigger", Some(_), _) | ("index", Some(_), _) => {
            Some(("warning", format!("a restore has this {kind} as the version defines it")))
        }
        _ => None,
    }
}

/// A fingerprint of the live members: equal for equal schemas, whatever path led there.
///
/// Returns: SHA-256 in hexadecimal. Since 0.0.0.
#[pg_extern(sql = false, stable, parallel_restricted)]
fn fingerprint() -> Result<String, ErrorReport> {
    const HASH: &str = "SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')";
    let text: String = catalog::members()?
        .into_iter()
        .map(|(Member { kind, object }, definition)| format!("{kind}\t{object}\t{definition}\n"))
        .collect();
    let hash = crate::plans::select(HASH, &[text.as_str().into()], |rows| {
        Ok(rows.first().get_one::<String>()?)
    })?;
    Ok(crate::error::required("fingerprint", hash)?)
}
