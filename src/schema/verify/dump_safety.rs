//! What users added to the extension's tables, or changed on them, that a dump would lose.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::renames::Rename;
use super::repair;
use super::undo::to_undo;
use crate::schema::catalog;
use crate::schema::column::Column;
use crate::schema::difference::Difference;
use crate::schema::facts::{Member, split};

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
    let version = catalog::installed_version()?;
    let undo = to_undo(&version)?;
    let mut rows = Vec::new();
    for rename in undo.renames {
        let (severity, consequence) = consequence_of(&rename);
        let (hint, kind) = (format!("Before the dump: {}", rename.undo()), rename.kind.to_owned());
        rows.push((rename.is, kind, severity.name().to_owned(), consequence, hint));
    }
    for difference in undo.differences {
        let Some((severity, consequence)) = consequence(&difference) else { continue };
        let undo = repair::undo(&difference, &version)?;
        let Member { kind, object } = difference.member;
        let hint = match (kind.as_str(), severity) {
            ("column", Severity::Error) if difference.expected.is_none() => {
                format!("Keep its values in a table of your own, then {undo}")
            }
            ("table" | "view" | "function" | "sequence" | "schema" | "other" | "child table", _)
                if difference.expected.is_none() =>
            {
                undo
            }
            (_, Severity::Error) => format!("Before the dump: {undo}"),
            (_, Severity::Warning) => {
                "Keep the statement that made it beside your dumps, and run it again after a restore.".to_owned()
            }
        };
        rows.push((object, kind, severity.name().to_owned(), consequence, hint));
    }
    Ok(TableIterator::new(rows))
}

#[derive(Clone, Copy)]
enum Severity {
    /// Rows would be lost.
    Error,
    Warning,
}

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// What a restored dump would lack of what has another name than CREATE EXTENSION gives it.
fn consequence_of(Rename { kind, is, due, .. }: &Rename) -> (Severity, String) {
    match *kind {
        "schema" | "table" | "sequence" => (
            Severity::Error,
            format!("a restore stops at the rows of {is}: CREATE EXTENSION makes {due}"),
        ),
        "column" => {
            let table = split(due).0;
            (
                Severity::Error,
                format!(
                    "{table} restores empty: its rows name a column that CREATE EXTENSION does not make"
                ),
            )
        }
        kind => (Severity::Warning, format!("a restore has this {kind} as {due}")),
    }
}

/// What a restored dump would lack; nothing for what a dump does not carry in any case.
fn consequence(difference: &Difference) -> Option<(Severity, String)> {
    use Severity::{Error, Warning};
    let Difference { member, expected, actual } = difference;
    let (table, _) = member.split();
    let kind = member.kind.as_str();
    // One row that CREATE EXTENSION's table does not take ends the COPY of all of them.
    let empties = |what: &str, which: &str| {
        Some((Error, format!("{what} restores empty when a row {which}")))
    };
    match (kind, expected.as_deref(), actual.as_deref()) {
        ("column", None, _) => Some((
            Error,
            format!(
                "{table} restores empty: its rows name a column that CREATE EXTENSION does not make"
            ),
        )),
        ("column", Some(expected), None) if Column(expected).needs_a_value() => Some((
            Error,
            format!("{table} restores empty: its rows lack a column that must have a value"),
        )),
        ("column", Some(_), None) => {
            Some((Warning, "a restore has this column, with its default in every row".to_owned()))
        }
        ("column", Some(expected), Some(actual)) => {
            if Column(actual).takes_no_more_than(&Column(expected)) {
                Some((Warning, "a restore has the column as the version defines it".to_owned()))
            } else {
                empties(table, "has a value that the version's column does not take")
            }
        }
        ("table", None, _) => Some((
            Error,
            "a dump has neither this table nor its rows: it counts as the extension's".to_owned(),
        )),
        ("view" | "function" | "sequence" | "schema" | "other", None, _) => Some((
            Warning,
            format!(
                "a dump does not have this {}: it counts as the extension's",
                if kind == "other" { "object" } else { kind }
            ),
        )),
        ("table", Some(_), Some(_)) => {
            Some((Warning, "a restore has the table without these options".to_owned()))
        }
        ("child table", None, _) => Some((
            Warning,
            "a restore has it again; its rows are seen in the table of the extension, whose keys, rules and seals do not hold for them"
                .to_owned(),
        )),
        ("statistics", None, _) => Some((Warning, "a restore does not have them".to_owned())),
        ("index" | "constraint" | "trigger" | "policy" | "rule", None, _) => {
            Some((Warning, format!("a restore does not have this {kind}")))
        }
        ("constraint", Some(_), _) => empties(table, "breaks this constraint"),
        ("index", Some(expected), _) if expected.holds("unique") => {
            let table = expected.part_of.as_deref().unwrap_or_default();
            empties(table, "is there twice for this index")
        }
        ("trigger" | "index", Some(_), _) => {
            Some((Warning, format!("a restore has this {kind} as the version defines it")))
        }
        _ => None,
    }
}
