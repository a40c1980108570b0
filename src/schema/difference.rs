//! The live catalog compared with the manifest.

use std::sync::Arc;

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
pub struct Additions(Vec<Difference>);

impl Additions {
    /// Compares the catalog with the version that is installed, or that a down script leaves. A column
    /// that was added is none: its values are archived with the others.
    pub fn find() -> Result<Additions, Error> {
        let mut expected = manifest::members_at(manifest::position(&manifest::version_left()?)?)?;
        expected.retain(|member, _| catalog::is_part(&member.kind));
        let mut found = differences(&expected, catalog::parts()?);
        found.retain(|Difference { member, expected, .. }| {
            member.kind == "column" || expected.is_none()
        });
        Ok(Additions(found))
    }

    pub fn none() -> Additions {
        Additions(Vec::new())
    }

    /// What was added to one relation and is lost with it.
    pub fn to(&self, relation: &str) -> impl Iterator<Item = &Member> {
        self.0
            .iter()
            .filter(move |difference| {
                difference.member.kind != "column" && difference.is_part_of(relation)
            })
            .map(|difference| &difference.member)
    }

    /// Kind and name of everything.
    pub fn labels(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|Difference { member, .. }| format!("{} {}", member.kind, member.object))
            .collect()
    }
}
