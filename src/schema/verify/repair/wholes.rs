//! Tables, sequences, functions and views.

use super::membership::{alter_extension, exists};
use super::parts::option_names;
use crate::schema::definition;
use crate::schema::facts::{Facts, Member};
use crate::server::error::Error;

pub fn change_sequence(sequence: &str, expected: &Facts) -> String {
    let cycle = if expected.holds("cycle") { "CYCLE" } else { "NO CYCLE" };
    format!("ALTER SEQUENCE {sequence} AS {} {cycle};", definition::sequence(expected))
}

/// No version has an option on a table.
pub fn reset_table(table: &str, actual: &Facts) -> String {
    let resets = [
        (actual.text("persistence") == Some("UNLOGGED"), "SET LOGGED"),
        (actual.holds("row_security"), "DISABLE ROW LEVEL SECURITY"),
        (actual.holds("forced"), "NO FORCE ROW LEVEL SECURITY"),
        (actual.text("replica_identity").is_some(), "REPLICA IDENTITY DEFAULT"),
    ];
    let mut actions: Vec<String> =
        resets.into_iter().filter(|(is, _)| *is).map(|(_, reset)| reset.to_owned()).collect();
    let options = option_names(actual);
    if !options.is_empty() {
        actions.push(format!("RESET ({options})"));
    }
    format!("ALTER TABLE {table} {};", actions.join(", "))
}

/// Every function of a version is a symbol of the library, or an aggregate of such functions.
pub fn make_function(
    member: &Member,
    expected: &Facts,
    missing: bool,
) -> Result<Option<String>, Error> {
    if missing && exists(member)? {
        return Ok(Some(alter_extension("ADD", member)));
    }
    let object = &member.object;
    let name = object.split('(').next().unwrap_or(object);
    let create = if let Some(parts) = expected.text("aggregate") {
        let arguments = expected.text("arguments").unwrap_or_default();
        let parallel = expected.text("parallel").unwrap_or("UNSAFE");
        format!("CREATE OR REPLACE AGGREGATE {name}({arguments}) ({parts}, PARALLEL = {parallel});")
    } else {
        let Some(symbol) = definition::symbol(member, expected) else { return Ok(None) };
        format!(
            "CREATE OR REPLACE FUNCTION {name}{} AS '{}', '{symbol}';",
            definition::function(expected),
            definition::library(expected)
        )
    };
    Ok(Some(if missing {
        format!(
            "{create} REVOKE ALL ON FUNCTION {object} FROM PUBLIC; {}",
            alter_extension("ADD", member)
        )
    } else {
        create
    }))
}

/// `None` if the manifest lacks the wording of the view for this server.
pub fn make_view(member: &Member, expected: &Facts) -> Result<Option<String>, Error> {
    if exists(member)? {
        return Ok(Some(alter_extension("ADD", member)));
    }
    let Some(query) = expected.text("query") else { return Ok(None) };
    let options = expected.list("options").join(", ");
    let options = if options.is_empty() { options } else { format!(" WITH ({options})") };
    Ok(Some(format!(
        "CREATE VIEW {}{options} AS {query} {}",
        member.object,
        alter_extension("ADD", member)
    )))
}
