//! The state of the search: the renames found so far, and the members once these are undone.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::rename::Rename;
use super::touched;
use crate::schema::facts::{Facts, Member, Members};
use crate::server::error::Error;

/// The facts that are written with the names of other members.
pub const WORDED: [&str; 12] = [
    "default",
    "generated",
    "rule",
    "keys",
    "where",
    "fires",
    "query",
    "arguments",
    "returns",
    "statement",
    "using",
    "check",
];

pub struct Search<'a> {
    pub expected: &'a Members,
    /// The members as they are once everything found so far is undone.
    pub actual: Members,
    pub found: Vec<Rename>,
    /// The members whose wording follows the names that are to be undone, by the names that they are
    /// due; only the server knows how they are worded then.
    pub touched: BTreeSet<Member>,
}

impl<'a> Search<'a> {
    pub fn new(expected: &'a Members, actual: Members) -> Search<'a> {
        Search { expected, actual, found: Vec::new(), touched: BTreeSet::new() }
    }

    /// The members of a kind that only the version has, and those that only the catalog has.
    pub fn unmatched(&self, kind: &str) -> (Vec<Member>, Vec<Member>) {
        let only = |these: &Members, those: &Members| {
            let of_kind = these.keys().filter(|member| member.kind == kind);
            of_kind.filter(|member| !those.contains_key(*member)).cloned().collect()
        };
        (only(self.expected, &self.actual), only(&self.actual, self.expected))
    }

    /// Gives the members whose wording contains the names found so far the wording of the version.
    pub fn follow(&mut self) -> Result<(), Error> {
        self.touched = touched::by(&self.found)?;
        for member in &self.touched {
            if let (Some(actual), Some(expected)) =
                (self.actual.get_mut(member), self.expected.get(member))
            {
                *actual = worded_as(actual, expected);
            }
        }
        Ok(())
    }
}

/// Facts of the catalog, in the words of the version.
pub fn worded_as(actual: &Facts, expected: &Facts) -> Arc<Facts> {
    Arc::new(actual.with_those_of(expected, &WORDED))
}
