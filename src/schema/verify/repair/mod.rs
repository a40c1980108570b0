//! The statements that undo a difference: `verify()` returns one with each. Each can be run as it
//! is.

mod columns;
mod membership;
mod parts;
mod wholes;

use crate::schema::difference::Difference;
use crate::schema::facts::{Facts, Member, split};
use crate::schema::{catalog, manifest};
use crate::server::dynamic_sql;
use crate::server::error::Error;
use membership::{alter_extension, exists};

/// The place of a difference in the order of undoing. Unexpected objects are dropped before those
/// that they may depend on. Missing objects are created after those that they depend on.
pub fn rank(difference: &Difference) -> (u8, Member) {
    const ADDED: [&str; 8] =
        ["policy", "rule", "trigger", "view", "function", "statistics", "constraint", "index"];
    const MISSING: [&str; 6] = ["function", "schema", "table", "sequence", "column", "constraint"];
    let Difference { member, expected, .. } = difference;
    let order: &[&str] = if expected.is_none() { &ADDED } else { &MISSING };
    let place = order.iter().position(|kind| *kind == member.kind).unwrap_or(order.len()) as u8;
    let facts = expected.as_ref().or(difference.actual.as_ref());
    // A foreign key needs the key that it refers to.
    let refers = facts.is_some_and(|facts| facts.text("references").is_some());
    let rank = match expected {
        None => place * 2 + u8::from(member.kind == "constraint" && !refers),
        Some(_) => 100 + place * 2 + u8::from(refers),
    };
    (rank, member.clone())
}

/// The next step for a difference. It never loses a value: the user decides whether to drop a column
/// that the version does not have.
pub fn hint(difference: &Difference, installed: &str) -> Result<String, Error> {
    let kind = difference.member.kind.as_str();
    if difference.expected.is_some() {
        return undo(difference, installed);
    }
    if kind == "column" {
        return Ok("SELECT * FROM orchestrator.dump_safety(); -- a dump would lose the values of this column of yours; dump_safety() returns the step that keeps them".to_owned());
    }
    let undo = undo(difference, installed)?;
    Ok(if catalog::is_part(kind) { format!("{undo} -- unless you want to keep it") } else { undo })
}

/// The statement that undoes a difference.
pub fn undo(difference: &Difference, installed: &str) -> Result<String, Error> {
    let Difference { member, expected, actual } = difference;
    let (owner, name) = member.split();
    let hint = match (member.kind.as_str(), expected.as_deref(), actual.as_deref()) {
        ("column", None, _) => Some(format!("ALTER TABLE {owner} DROP COLUMN {name};")),
        ("column", Some(expected), None) => Some(columns::add(owner, name, expected)),
        ("column", Some(expected), Some(actual)) => columns::change(owner, name, expected, actual),
        ("child table", None, Some(actual)) => Some(leave_parents(&member.object, actual)),
        ("constraint", None, _) => Some(format!("ALTER TABLE {owner} DROP CONSTRAINT {name};")),
        ("constraint", Some(expected), None) => Some(parts::add_constraint(member, expected)),
        ("constraint", Some(expected), Some(actual)) => {
            Some(parts::change_constraint(member, expected, actual))
        }
        ("index", None, _) => Some(format!("DROP INDEX {};", member.object)),
        ("index", Some(expected), None) => Some(parts::make_index(member, expected)),
        ("index", Some(expected), Some(actual)) => {
            Some(parts::change_index(member, expected, actual))
        }
        ("statistics", None, _) => Some(format!("DROP STATISTICS {};", member.object)),
        ("trigger", None, _) => Some(format!("DROP TRIGGER {name} ON {owner};")),
        ("trigger", Some(expected), actual) => {
            Some(parts::make_trigger(owner, name, expected, actual))
        }
        ("rule", None, _) => Some(format!("DROP RULE {name} ON {owner};")),
        ("policy", None, _) => Some(format!("DROP POLICY {name} ON {owner};")),
        ("sequence", Some(expected), Some(_)) => {
            Some(wholes::change_sequence(&member.object, expected))
        }
        ("table", Some(_), Some(actual)) => Some(wholes::reset_table(&member.object, actual)),
        ("function", Some(expected), actual) => {
            wholes::make_function(member, expected, actual.is_none())?
        }
        ("view", Some(expected), None) => wholes::make_view(member, expected)?,
        ("table" | "sequence", Some(_), None) if exists(member)? => {
            Some(alter_extension("ADD", member))
        }
        ("grant to PUBLIC", None, Some(actual)) => Some(format!(
            "REVOKE {} ON {} FROM PUBLIC;",
            actual.list("privileges").join(", "),
            granted_on(member)?
        )),
        ("table" | "view" | "function" | "sequence" | "schema" | "other", None, _) => {
            Some(alter_extension("DROP", member))
        }
        _ => None,
    };
    match hint {
        Some(hint) => Ok(hint),
        None => make_again(difference, installed),
    }
}

/// The statements that end the inheritance; the child table keeps its rows.
fn leave_parents(child: &str, actual: &Facts) -> String {
    let parents = actual.list("parents").into_iter();
    let leave = parents.map(|parent| format!("ALTER TABLE {child} NO INHERIT {parent};"));
    leave.collect::<Vec<_>>().join(" ")
}

/// The object of a grant, as GRANT and REVOKE name it.
fn granted_on(member: &Member) -> Result<String, Error> {
    const IS_SEQUENCE: &str =
        "SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1) AND relkind = 'S')";
    let object = &member.object;
    if object.ends_with(')') {
        return Ok(format!("ROUTINE {object}"));
    }
    let (owner, _) = member.split();
    if owner.is_empty() {
        return Ok(format!("SCHEMA {}", dynamic_sql::quote(object)));
    }
    // A grant on a column goes with those on the whole table.
    if !split(owner).0.is_empty() {
        return Ok(format!("TABLE {owner}"));
    }
    let is_sequence = dynamic_sql::value::<bool>(IS_SEQUENCE, &[object.as_str().into()])?;
    let kind = if is_sequence == Some(true) { "SEQUENCE" } else { "TABLE" };
    Ok(format!("{kind} {object}"))
}

/// A downgrade below the version that introduced the member and the upgrade after it create the
/// member again.
fn make_again(difference: &Difference, installed: &str) -> Result<String, Error> {
    let Member { kind, object } = &difference.member;
    let is_there = difference.actual.is_some() || kind == "dump configuration";
    let versions = manifest::versions()?;
    let place = manifest::introduced(kind, object)?;
    if is_there && (1..=manifest::position(installed)?).contains(&place) {
        let below = versions[place - 1];
        return Ok(format!(
            "ALTER EXTENSION orchestrator_schema UPDATE TO '{below}'; ALTER EXTENSION orchestrator_schema UPDATE TO '{installed}';"
        ));
    }
    Ok("Restore a dump into a database with a fresh CREATE EXTENSION orchestrator_schema."
        .to_owned())
}
