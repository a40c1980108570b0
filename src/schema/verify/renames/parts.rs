//! Renamed constraints, indexes and triggers: they have an equal definition on the same table.

use crate::schema::facts::{Facts, Member, split};
use crate::server::interrupts;

use super::rename::Rename;
use super::search::{Search, WORDED, worded_as};

/// The states that a part can be in, whatever its name.
const STATES: [&str; 4] = ["not_valid", "disabled", "invalid", "state"];

/// Facts whose wording proves nothing, even if all names of columns are known. Keys are such names.
const UNSURE: [&str; 3] = ["rule", "where", "fires"];

impl Search<'_> {
    pub fn parts(&mut self, kind: &'static str) {
        for ignored in [&UNSURE[..], &WORDED[..]] {
            let (missing, mut unexpected) = self.unmatched(kind);
            for due in missing {
                let found = unexpected.iter().position(|is| {
                    interrupts::allow();
                    self.can_be(is, &due, ignored)
                });
                if let Some(at) = found {
                    let is = unexpected.remove(at);
                    self.rename_part(kind, &is, &due);
                }
            }
        }
    }

    /// Whether a part can be one of the version, apart from its name and its state. If its wording
    /// contains names that are to be undone, the wording is not compared.
    fn can_be(&self, is: &Member, due: &Member, wording: &[&str]) -> bool {
        let (Some(actual), Some(expected)) = (self.actual.get(is), self.expected.get(due)) else {
            return false;
        };
        if self.touched.contains(is) {
            let ignored: Vec<&str> = STATES.iter().chain(wording).copied().collect();
            return actual.equal_but_for(expected, &ignored);
        }
        actual.equal_but_for(expected, &STATES)
    }

    fn rename_part(&mut self, kind: &'static str, is: &Member, due: &Member) {
        let mut moves = vec![(is.clone(), due.clone())];
        if kind == "constraint" {
            // Its index has its name.
            let index = |part: &Member| {
                let (table, name) = part.split();
                Member::new("index", &format!("{}.{name}", split(table).0))
            };
            moves.push((index(is), index(due)));
        }
        for (is, due) in moves {
            if let Some(facts) = self.actual.remove(&is) {
                let expected: Option<&Facts> = self.expected.get(&due).map(|facts| &**facts);
                let facts = match expected.filter(|_| self.touched.contains(&is)) {
                    Some(expected) => worded_as(&facts, expected),
                    None => facts,
                };
                self.actual.insert(due, facts);
            }
        }
        self.found.push(Rename::of(kind, &is.object, &due.object));
    }
}
