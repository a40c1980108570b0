//! The differences to undo until the catalog is as the version defines it.

use std::collections::BTreeMap;

use super::renames::{self, Rename};
use super::repair;
use crate::schema::difference::{Difference, differences};
use crate::schema::{catalog, manifest};
use crate::server::error::Error;
use crate::server::interrupts;

/// The renames to undo, and after them the other differences.
pub struct Undo {
    pub renames: Vec<Rename>,
    /// The differences that remain once the renames are undone, without those that another one
    /// explains. Each can be undone after those before it.
    pub differences: Vec<Difference>,
}

pub fn to_undo(version: &str) -> Result<Undo, Error> {
    let actual = catalog::members()?;
    // While the schema has another name, no member has the name of the version, so nothing else can
    // be compared.
    if let Some(schema) = renames::of_schema(&actual) {
        return Ok(Undo { renames: vec![schema], differences: Vec::new() });
    }
    let expected = manifest::members_at(manifest::position(version)?)?;
    let (renames, actual) = renames::find(version, &expected, actual)?;
    let all = differences(&expected, actual);
    let is_explained = explained(&all);
    let mut left: Vec<_> =
        all.iter().filter(|difference| !is_explained(difference)).cloned().collect();
    left.sort_by_key(repair::rank);
    Ok(Undo { renames, differences: left })
}

/// Whether another difference explains this one. It is compared with relations, which are few, and
/// with members of the same name.
fn explained(all: &[Difference]) -> impl Fn(&Difference) -> bool {
    let mut relations = Vec::new();
    let mut named: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
    for other in all {
        interrupts::allow();
        match other.member.kind.as_str() {
            "table" | "view" => relations.push(other),
            "constraint" => named.entry(other.member.split().1).or_default().push(other),
            _ => named.entry(&other.member.object).or_default().push(other),
        }
    }
    move |difference| {
        let names = [difference.member.split().1, difference.member.object.as_str()];
        let alike = names.into_iter().filter_map(|name| named.get(name)).flatten();
        alike.chain(&relations).any(|other| {
            interrupts::allow();
            difference.explained_by(other)
        })
    }
}
