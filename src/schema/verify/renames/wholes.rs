//! Renamed functions, tables, sequences and views: a missing one is matched with the unexpected one that
//! is most like it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::rename::{Rename, split_signature};
use super::search::Search;
use crate::schema::definition;
use crate::schema::facts::{Facts, Member, Members, split};
use crate::server::interrupts;

impl Search<'_> {
    pub fn wholes(&mut self, kind: &'static str) {
        let (missing, unexpected) = self.unmatched(kind);
        let mut pairs = Vec::new();
        for due in &missing {
            for is in &unexpected {
                interrupts::allow();
                let likeness = self.likeness(is, due);
                if likeness > 0.5 {
                    pairs.push((likeness, is, due));
                }
            }
        }
        pairs.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
        let (mut taken, mut given) = (BTreeSet::new(), BTreeSet::new());
        for (_, is, due) in pairs {
            if !taken.contains(is) && !given.contains(due) {
                taken.insert(is);
                given.insert(due);
                self.rename(kind, &is.object, &due.object);
            }
        }
    }

    /// How much a member is like one of the version, from 0 to 1.
    fn likeness(&self, is: &Member, due: &Member) -> f64 {
        let (Some(actual), Some(expected)) = (self.actual.get(is), self.expected.get(due)) else {
            return 0.0;
        };
        match is.kind.as_str() {
            // Its parts may have other names, too; its columns are defined as they were.
            "table" => {
                let named = |members, table| {
                    parts(members, table, &PARTS, |part, _| part.split().1.to_owned())
                };
                let defined = |members, table| parts(members, table, &PARTS[..1], definition::of);
                let by_name =
                    common(&named(&self.actual, &is.object), &named(self.expected, &due.object));
                by_name.max(common(
                    &defined(&self.actual, &is.object),
                    &defined(self.expected, &due.object),
                ))
            }
            // Symbols are never shared.
            "function" => {
                let same = definition::code(is, actual) == definition::code(due, expected);
                f64::from(u8::from(same))
            }
            "sequence" => f64::from(u8::from(actual == expected)),
            // A view keeps its column names when columns that it reads are renamed.
            _ => common(&names(actual, "columns"), &names(expected, "columns")),
        }
    }

    /// Notes a rename of a whole, and undoes it in every name.
    fn rename(&mut self, kind: &'static str, is: &str, due: &str) {
        let prefix = format!("{is}.");
        let (schema, due_schema) = (split_signature(is).0, split_signature(due).0);
        let mut renamed = Members::new();
        for (mut member, facts) in std::mem::take(&mut self.actual) {
            if member.object == is {
                member.object = due.to_owned();
            } else if let Some(part) = member.object.strip_prefix(&prefix) {
                member.object = format!("{due}.{part}");
            }
            // Indexes and sequences move to another schema with their table.
            if kind == "table"
                && schema != due_schema
                && ["index", "sequence", "dump configuration"].contains(&member.kind.as_str())
                && split(&member.object).0 == schema
            {
                let moved = format!("{due_schema}.{}", split(&member.object).1);
                let moved = Member::new(&member.kind, &moved);
                if self.expected.contains_key(&moved) {
                    member = moved;
                }
            }
            renamed.insert(member, with_name(facts, is, due));
        }
        let whole = Member::new(kind, due);
        // The symbol of a function is a fact only where it is not that of the name.
        if let (Some(actual), Some(expected)) = (renamed.get_mut(&whole), self.expected.get(&whole))
            && kind == "function"
        {
            *actual = Arc::new(actual.with_those_of(expected, &["symbol"]));
        }
        self.actual = renamed;
        self.found.push(Rename::of(kind, is, due));
    }
}

/// Facts with one member under another name.
fn with_name(facts: Arc<Facts>, is: &str, due: &str) -> Arc<Facts> {
    const NAMES: [&str; 3] = ["references", "reads", "parents"];
    let names_it = facts.is_part_of(is)
        || NAMES.iter().any(|name| facts.text(name) == Some(is) || facts.list(name).contains(&is));
    if !names_it {
        return facts;
    }
    let mut renamed =
        facts.renamed(&NAMES, &["reads"], |name| (name == is).then(|| due.to_owned()));
    if facts.is_part_of(is) {
        renamed.part_of = Some(due.to_owned());
    }
    Arc::new(renamed)
}

/// The parts that distinguish tables, columns first.
const PARTS: [&str; 3] = ["column", "constraint", "trigger"];

/// The descriptions that `by` makes of the parts of a table, numbered if several are equal.
fn parts(
    members: &Members,
    table: &str,
    kinds: &[&str],
    by: impl Fn(&Member, &Facts) -> String,
) -> BTreeSet<String> {
    let mut said = BTreeMap::<String, usize>::new();
    let mut parts = BTreeSet::new();
    for (member, facts) in members {
        if kinds.contains(&member.kind.as_str()) && facts.is_part_of(table) {
            let part = format!("{} {}", member.kind, by(member, facts));
            let times = said.entry(part.clone()).or_default();
            *times += 1;
            parts.insert(format!("{part} {times}"));
        }
    }
    parts
}

fn names(facts: &Facts, fact: &str) -> BTreeSet<String> {
    facts.list(fact).into_iter().map(str::to_owned).collect()
}

/// The share that two sets have in common, from 0 to 1.
fn common(one: &BTreeSet<String>, other: &BTreeSet<String>) -> f64 {
    let shared = one.intersection(other).count() as f64;
    2.0 * shared / (one.len() + other.len()).max(1) as f64
}
