//! The live catalog compared with the manifest.

use std::cell::OnceCell;
use std::sync::Arc;

use pgrx::pg_sys::Oid;

use crate::schema::facts::{Facts, Member, Members};
use crate::schema::{catalog, manifest};
use crate::server::error::Error;

/// One difference between a version and the catalog.
#[derive(Clone)]
pub struct Difference {
    pub member: Member,
    pub expected: Option<Arc<Facts>>,
    pub actual: Option<Arc<Facts>>,
}

impl Difference {
    pub fn problem(&self) -> &'static str {
        match (&self.expected, &self.actual) {
            (Some(_), None) => "missing",
            (None, _) => "unexpected",
            _ => "changed",
        }
    }

    /// Whether it is a part of that relation.
    pub fn is_part_of(&self, relation: &str) -> bool {
        let facts = self.actual.as_ref().or(self.expected.as_ref());
        facts.is_some_and(|facts| facts.is_part_of(relation))
    }

    /// Whether another difference is all there is to it: the relation that it is a part of is
    /// missing, or is none of the extension's; or it is the index of a constraint that is reported.
    pub fn explained_by(&self, other: &Difference) -> bool {
        if other.problem() != self.problem() {
            return false;
        }
        let (whole, name) = other.member.split();
        match other.member.kind.as_str() {
            "table" | "view" if self.problem() != "changed" => {
                self.member != other.member && self.is_part_of(&other.member.object)
            }
            "function" | "sequence" | "schema" => {
                self.member.kind == "grant to PUBLIC" && self.member.object == other.member.object
            }
            "constraint" if self.member.kind == "index" => {
                self.is_part_of(whole) && self.member.split().1 == name
            }
            _ => false,
        }
    }
}

/// Every difference between a version and the catalog.
pub fn differences(expected: &Members, actual: Members) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (member, facts) in expected {
        if !actual.get(member).is_some_and(|actual| facts.is_met_by(actual)) {
            differences.push(Difference {
                member: member.clone(),
                expected: Some(facts.clone()),
                actual: actual.get(member).cloned(),
            });
        }
    }
    for (member, facts) in actual {
        if !expected.contains_key(&member) {
            differences.push(Difference { member, expected: None, actual: Some(facts) });
        }
    }
    differences
}

/// What users added to the extension's relations, or changed on their columns.
pub struct Additions {
    /// The place in the chain of the version that has none of them; none if nothing is known to be an addition.
    version: Option<usize>,
    /// The columns as they stand in the catalog, once somebody asks for one.
    columns: OnceCell<Members>,
}

impl Additions {
    /// Those to the version that is installed, or that a down script leaves.
    pub fn find() -> Result<Additions, Error> {
        let version = manifest::position(&manifest::version_left()?)?;
        Ok(Additions { version: Some(version), columns: OnceCell::new() })
    }

    pub fn none() -> Additions {
        Additions { version: None, columns: OnceCell::new() }
    }

    /// What was added to a relation, given by its identifier and its name, and is lost with it. A column that was added
    /// is none: its values are archived with the others.
    pub fn to(&self, relation: Oid, name: &str) -> Result<Vec<Member>, Error> {
        let Some(version) = self.version else { return Ok(Vec::new()) };
        let mut added = Vec::new();
        for part in catalog::parts_of(relation, name)? {
            if manifest::facts_at(version, &part)?.is_none() {
                added.push(part);
            }
        }
        added.sort();
        Ok(added)
    }

    /// Whether a part of one of the extension's relations was added, or is a column that was changed.
    pub fn include(&self, part: &Member) -> Result<bool, Error> {
        let Some(version) = self.version else { return Ok(false) };
        let Some(due) = manifest::facts_at(version, part)? else { return Ok(true) };
        if part.kind != "column" {
            return Ok(false);
        }
        let columns = match self.columns.get() {
            Some(columns) => columns,
            None => {
                let found = catalog::columns()?;
                self.columns.get_or_init(|| found)
            }
        };
        Ok(!columns.get(part).is_some_and(|actual| due.is_met_by(actual)))
    }
}
