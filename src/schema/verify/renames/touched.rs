//! The members whose wording contains a renamed object. The server records the dependencies, and words
//! each definition with the present names.

use std::collections::BTreeSet;

use super::rename::Rename;
use crate::schema::facts::{Member, split};
use crate::server::concurrent_drop::while_others_drop;
use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{interrupts, rows};

/// The members that are worded with a name that is to be undone, by the names that they are due once
/// all of them are undone.
pub fn by(renames: &[Rename]) -> Result<BTreeSet<Member>, Error> {
    static TOUCHED: Statement = Statement::new(include_str!("touched.sql"));
    if renames.is_empty() {
        return Ok(BTreeSet::new());
    }
    let of_kinds = |kinds: &[&str]| -> Vec<String> {
        let named = renames.iter().filter(|rename| kinds.contains(&rename.kind));
        named.map(|rename| rename.is.clone()).collect()
    };
    let (mut tables, mut columns) = (Vec::new(), Vec::new());
    for rename in renames.iter().filter(|rename| rename.kind == "column") {
        let (table, column) = split(&rename.is);
        tables.push(now(renames, table));
        columns.push(column.to_owned());
    }
    let arguments = [
        of_kinds(&["table", "sequence", "view"]).into(),
        of_kinds(&["function"]).into(),
        tables.into(),
        columns.into(),
    ];
    let found = while_others_drop(|| {
        TOUCHED.select(&arguments, |found| {
            let mut members = Vec::new();
            for row in found {
                interrupts::allow();
                let kind = rows::value::<String>(&row, 1, "member.kind")?;
                members.push((kind, rows::value::<String>(&row, 2, "member.object")?));
            }
            Ok(members)
        })
    })?;
    let due = |(kind, object): (String, String)| {
        let object = due(renames, &kind, &object);
        Member { kind, object }
    };
    Ok(found.into_iter().map(due).collect())
}

/// The name that a table has, of one by the name that it is due.
fn now(renames: &[Rename], table: &str) -> String {
    let renamed = renames.iter().find(|rename| rename.kind == "table" && rename.due == table);
    renamed.map_or(table, |rename| &rename.is).to_owned()
}

/// The name that a member is due; its own one if only the relation that it is a part of has another.
fn due(renames: &[Rename], kind: &str, object: &str) -> String {
    let whole = |is: &str| {
        let renamed = renames.iter().find(|rename| rename.kind != "column" && rename.is == is);
        renamed.map(|rename| rename.due.clone())
    };
    if let Some(due) = whole(object) {
        return due;
    }
    let (table, name) = split(object);
    if !["constraint", "trigger", "rule", "policy", "column"].contains(&kind) {
        // An index moves with its table.
        let moved =
            renames.iter().find(|rename| rename.kind == "table" && split(&rename.is).0 == table);
        return match moved.filter(|_| kind == "index") {
            Some(rename) => format!("{}.{name}", split(&rename.due).0),
            None => object.to_owned(),
        };
    }
    let in_table = format!("{}.{name}", whole(table).unwrap_or_else(|| table.to_owned()));
    let column = renames.iter().find(|rename| rename.kind == "column" && rename.is == in_table);
    match column.filter(|_| kind == "column") {
        Some(rename) => rename.due.clone(),
        None => in_table,
    }
}
