//! The search for renamed members. A renamed object is still a member of the extension, so a missing
//! and an unexpected member can be the same object. Renaming it back loses no value.

mod columns;
mod parts;
mod places;
mod rename;
mod search;
mod steps;
mod touched;
mod wholes;

use crate::schema::facts::Members;
use crate::server::error::Error;
pub use rename::Rename;
use search::Search;

/// The schema of the extension, if it has another name.
pub fn of_schema(actual: &Members) -> Option<Rename> {
    const SCHEMA: &str = "orchestrator";
    let schemas: Vec<&str> = actual
        .keys()
        .filter(|member| member.kind == "schema")
        .map(|member| member.object.as_str())
        .collect();
    match schemas[..] {
        [is] if is != SCHEMA => {
            Some(Rename::of("schema", &crate::server::dynamic_sql::quote(is), SCHEMA))
        }
        _ => None,
    }
}

/// Every rename, in an order in which they can be undone, and the members as they are after that.
pub fn find(
    version: &str,
    expected: &Members,
    actual: Members,
) -> Result<(Vec<Rename>, Members), Error> {
    let mut search = Search::new(expected, actual);
    for kind in ["function", "table", "sequence", "view"] {
        search.wholes(kind);
    }
    search.columns(version)?;
    search.follow()?;
    for kind in ["constraint", "index", "trigger"] {
        search.parts(kind);
    }
    Ok((search.found, search.actual))
}
