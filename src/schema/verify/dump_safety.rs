//! Additions and changes of users to the extension's tables that a dump would lose.

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

/// Additions and changes of users to the extension's tables that pg_dump would lose.
///
/// Returns: the object, its kind, `error` if rows would be lost and `warning` otherwise, the
/// consequence for a restored database, and the next step. Since 0.0.0.
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
                format!("Copy its values into a table of your own, then {undo}")
            }
            (
                "table" | "view" | "function" | "sequence" | "schema" | "other" | "child table",
                _,
            ) if difference.expected.is_none() => undo,
            (_, Severity::Error) => format!("Before the dump: {undo}"),
            (_, Severity::Warning) => {
                "Keep the statement that created it with your dumps, and run it after each restore."
                    .to_owned()
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

/// The consequence of a rename: CREATE EXTENSION creates the object under the version's name.
fn consequence_of(Rename { kind, is, due, .. }: &Rename) -> (Severity, String) {
    match *kind {
        "schema" | "table" | "sequence" => (
            Severity::Error,
            format!("a restore fails at the rows of {is}, because CREATE EXTENSION creates {due}"),
        ),
        "column" => {
            let table = split(due).0;
            (
                Severity::Error,
                format!(
                    "a restore leaves {table} empty: its rows have a column that CREATE EXTENSION does not create"
                ),
            )
        }
        kind => (Severity::Warning, format!("a restored database has this {kind} as {due}")),
    }
}

/// The consequence of a difference for a restored database; `None` if a dump never contains such an
/// object.
fn consequence(difference: &Difference) -> Option<(Severity, String)> {
    use Severity::{Error, Warning};
    let Difference { member, expected, actual } = difference;
    let (table, _) = member.split();
    let kind = member.kind.as_str();
    // One row that the table of CREATE EXTENSION refuses ends the COPY of all rows.
    let empties = |what: &str, which: &str| {
        Some((Error, format!("a restore leaves {what} empty if a row {which}")))
    };
    match (kind, expected.as_deref(), actual.as_deref()) {
        ("column", None, _) => Some((
            Error,
            format!(
                "a restore leaves {table} empty: its rows have a column that CREATE EXTENSION does not create"
            ),
        )),
        ("column", Some(expected), None) if Column(expected).needs_a_value() => Some((
            Error,
            format!("a restore leaves {table} empty: its rows lack a column that must have a value"),
        )),
        ("column", Some(_), None) => {
            Some((Warning, "a restored database has this column, with its default in every row".to_owned()))
        }
        ("column", Some(expected), Some(actual)) => {
            if Column(actual).takes_no_more_than(&Column(expected)) {
                Some((Warning, "a restored database has the column as the version defines it".to_owned()))
            } else {
                empties(table, "has a value that the version's column does not take")
            }
        }
        ("table", None, _) => Some((
            Error,
            "a dump contains neither this table nor its rows, because the table is a member of the extension".to_owned(),
        )),
        ("view" | "function" | "sequence" | "schema" | "other", None, _) => Some((
            Warning,
            format!(
                "a dump does not contain this {}, because it is a member of the extension",
                if kind == "other" { "object" } else { kind }
            ),
        )),
        ("table", Some(_), Some(_)) => {
            Some((Warning, "a restored database has the table without these options".to_owned()))
        }
        ("child table", None, _) => Some((
            Warning,
            "a restored database has it; its rows are visible in the table of the extension, but keys, rules and seals of that table do not apply to them"
                .to_owned(),
        )),
        ("statistics", None, _) => Some((Warning, "a restored database does not have them".to_owned())),
        ("index" | "constraint" | "trigger" | "policy" | "rule", None, _) => {
            Some((Warning, format!("a restored database does not have this {kind}")))
        }
        ("constraint", Some(_), _) => empties(table, "violates this constraint"),
        ("index", Some(expected), _) if expected.holds("unique") => {
            let table = expected.part_of.as_deref().unwrap_or_default();
            empties(table, "occurs twice in this unique index")
        }
        ("trigger" | "index", Some(_), _) => {
            Some((Warning, format!("a restored database has this {kind} as the version defines it")))
        }
        _ => None,
    }
}
