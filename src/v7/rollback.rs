//! The two checks of version 0.4.0: no object has a name that V7 needs, and no object of V7 is left after
//! a downgrade. Both look at every schema of the database but the archive.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::check::Check;
use super::installed::VERSIONS;
use crate::schema::facts::Member;
use crate::schema::{catalog, manifest};
use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{interrupts, rows, statements};

/// Checks that V7 can be installed.
///
/// Returns: no table named v7_ in any schema but the archive (0), and every name that the versions
/// still to come up to 0.4.3 need is free in schema orchestrator. Since 0.4.0.
#[pg_extern(sql = false, stable)]
#[allow(clippy::type_complexity)]
fn v7_verify_preconditions() -> Result<
    TableIterator<
        'static,
        (
            name!(check_name, String),
            name!(expected, String),
            name!(actual, String),
            name!(passed, bool),
            name!(hint, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let checks = [tables_before()?, names_taken()?];
    Ok(TableIterator::new(checks.into_iter().map(Check::row)))
}

/// Checks that a downgrade to 0.4.0 left nothing named v7_, in any schema but the archive.
///
/// Returns: per kind of object what is left, none expected. Since 0.4.0.
#[pg_extern(sql = false, stable)]
#[allow(clippy::type_complexity)]
fn v7_verify_rollback() -> Result<
    TableIterator<
        'static,
        (
            name!(check_name, String),
            name!(expected, String),
            name!(actual, String),
            name!(passed, bool),
            name!(hint, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let left = leftovers()?;
    let others = ["index", "sequence", "type", "trigger", "constraint"];
    let checks = [
        none_of(&left, "V7 tables left", &["table"]),
        none_of(&left, "V7 views left", &["view"]),
        none_of(&left, "V7 columns left", &["column"]),
        none_of(&left, "V7 functions left", &["function"]),
        none_of(&left, "other V7 objects left", &others),
    ];
    Ok(TableIterator::new(checks.into_iter().map(Check::row)))
}

fn tables_before() -> Result<Check, Error> {
    Ok(none_of(&leftovers()?, "V7 tables in any schema", &["table"]))
}

/// Checks that no object of some kinds is left; the hint drops the first.
fn none_of(left: &[Leftover], name: &'static str, kinds: &[&str]) -> Check {
    let found: Vec<_> = left.iter().filter(|left| kinds.contains(&left.kind.as_str())).collect();
    let names: Vec<String> = found.iter().map(|left| left.object.clone()).collect();
    let hint = found.first().map(|left| left.command.clone());
    Check::none(name, &names).hint(hint.unwrap_or_default())
}

/// One object named v7_ that is not in the archive.
struct Leftover {
    kind: String,
    object: String,
    /// The statement that takes it away.
    command: String,
}

/// Everything named v7_ outside the archive, but the functions that version 0.4.0 itself has.
fn leftovers() -> Result<Vec<Leftover>, Error> {
    static LEFT: Statement = Statement::new(include_str!("leftovers.sql"));
    const DOWN: &str = "ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.0';";
    let bottom = manifest::members_at(manifest::position("0.4.0")?)?;
    let above = manifest::position(&catalog::installed_version()?)? > manifest::position("0.4.0")?;
    LEFT.select(&[], |found| {
        let mut left = Vec::new();
        for row in found {
            interrupts::allow();
            let kind = rows::value::<String>(&row, 1, "object.kind")?;
            let object = rows::value::<String>(&row, 2, "object.name")?;
            let ours = rows::value::<bool>(&row, 4, "object.ours")?;
            if ours && bottom.contains_key(&Member { kind: kind.clone(), object: object.clone() }) {
                continue;
            }
            let command = if ours && above {
                DOWN.to_owned()
            } else {
                rows::value(&row, 3, "object.command")?
            };
            left.push(Leftover { kind, object, command });
        }
        Ok(left)
    })
}

/// Taken names in schema orchestrator that V7 versions above the installed one need.
fn names_taken() -> Result<Check, Error> {
    static TAKEN: Statement = Statement::new(include_str!("names_taken.sql"));
    let installed = manifest::position(&catalog::installed_version()?)?;
    let present = manifest::members_at(installed)?;
    let mut needed = Vec::new();
    for version in VERSIONS {
        let place = manifest::position(version)?;
        if place > installed {
            let members = manifest::members_at(place)?.into_keys();
            needed.extend(
                members
                    .filter(|member| !present.contains_key(member) && stands_alone(&member.kind))
                    .map(|member| member.object),
            );
        }
    }
    needed.sort();
    needed.dedup();
    let taken = TAKEN.select(&[needed.into()], statements::column::<String>)?;
    Ok(Check::none("names of the V7 versions that are taken", &taken).hint(
        "Rename or drop what has these names; \\d orchestrator.* and \\df orchestrator.* show it.",
    ))
}

/// Whether a member of that kind takes a name of its own.
fn stands_alone(kind: &str) -> bool {
    ["table", "view", "index", "sequence", "function", "column", "constraint", "trigger"]
        .contains(&kind)
}
