//! What a downgrade would do, told before it happens: the difference between the manifests of the
//! versions it passes, with the rows that are there now.

use super::dependents;
use super::table::Table;
use crate::access;
use crate::catalog::{self, Member, Members};
use crate::dynamic;
use crate::error::{Error, Kind};
use crate::manifest;

/// One row: the step, the object, the action, the rows it concerns.
type Line = (String, String, String, Option<i64>);

/// Kinds that go wherever their table goes, and are not told apart from it.
const PARTS: [&str; 7] = [
    "column",
    "constraint",
    "index",
    "trigger",
    "dump configuration",
    "sequence",
    "grant to PUBLIC",
];

/// Every line of the plan, step by step from the installed version down to `target`.
pub fn downgrade(target: &str) -> Result<Vec<Line>, Error> {
    let installed = catalog::installed_version()?;
    let (top, bottom) = (manifest::position(&installed)?, manifest::position(target)?);
    if bottom >= top {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("version {target} is not below the installed version {installed}"),
        )
        .hint("A downgrade leads to an older version."));
    }
    let versions = manifest::versions()?;
    let mut lines = Vec::new();
    for newer in (bottom + 1..=top).rev() {
        let step = format!("{} -> {}", versions[newer], versions[newer - 1]);
        let (upper, lower) = (manifest::members_at(newer)?, manifest::members_at(newer - 1)?);
        one_step(&step, &upper, &lower, &mut lines)?;
    }
    Ok(lines)
}

fn one_step(
    step: &str,
    upper: &Members,
    lower: &Members,
    lines: &mut Vec<Line>,
) -> Result<(), Error> {
    let mut tell = |object: &str, action: &str, rows| {
        lines.push((step.to_owned(), object.to_owned(), action.to_owned(), rows));
    };
    let gone = |kind: &str| {
        let kind = kind.to_owned();
        upper.keys().filter(move |member| member.kind == kind && !lower.contains_key(member))
    };
    let mut tables = Vec::new();
    for Member { object, .. } in gone("table") {
        tables.push(format!("{object}."));
        let Some(table) = live(object)? else { continue };
        for dependent in dependents::of(&table)?.iter().filter(|dependent| !dependent.ours) {
            tell(object, &format!("blocked by {}", dependent.description), None);
        }
        let rows = table.count()?;
        tell(object, if rows > 0 { "archive rows" } else { "drop" }, Some(rows));
    }
    for Member { object, .. } in gone("column") {
        if tables.iter().any(|table| object.starts_with(table)) {
            continue;
        }
        let owner = object.rsplit_once('.').map_or(object.as_str(), |(table, _)| table);
        if let Some(table) = live(owner)? {
            let column = object[owner.len() + 1..].trim_matches('"').to_owned();
            for dependent in dependents::of_columns(&table, &[column])? {
                if !dependent.ours {
                    tell(object, &format!("blocked by {}", dependent.description), None);
                }
            }
            let rows = table.count()?;
            tell(object, if rows > 0 { "archive column" } else { "drop" }, Some(rows));
        }
    }
    let levels = Member { kind: "function".into(), object: "orchestrator.access()".into() };
    if upper.contains_key(&levels) && !lower.contains_key(&levels) {
        let roles = access::count()?;
        if roles > 0 {
            tell(&format!("orchestrator.{}", access::KEPT_LEVELS), "archive rows", Some(roles));
        }
    }
    for (member, definition) in upper {
        let part = PARTS.contains(&member.kind.as_str());
        if member.kind == "table" || (part && belongs_to_any(member, definition, &tables)) {
            continue;
        }
        match lower.get(member) {
            None if member.kind == "column" => {}
            None => tell(&member.object, &format!("drop {}", member.kind), None),
            Some(older) if older != definition => {
                tell(&member.object, &format!("replace {}", member.kind), None);
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Whether a part belongs to one of the tables that go; an index tells by its definition.
fn belongs_to_any(member: &Member, definition: &str, tables: &[String]) -> bool {
    let object = format!("{}.", member.object);
    tables.iter().any(|table| {
        let name = table.trim_end_matches('.');
        object.starts_with(table) || definition.contains(&format!(" ON {name} "))
    })
}

/// The table of that qualified name, when it is there.
fn live(name: &str) -> Result<Option<Table>, Error> {
    const FIND: &str = "SELECT to_regclass($1)::oid";
    match dynamic::value::<pgrx::pg_sys::Oid>(FIND, &[name.into()])? {
        Some(oid) => Table::find(oid),
        None => Ok(None),
    }
}
