use std::collections::BTreeSet;

use super::examples;
use super::groups::{GROUPS, START};
use crate::schema::manifest;

/// The names of everything that a user works with, in any version.
fn members() -> BTreeSet<String> {
    let versions = manifest::versions().expect("a manifest");
    let mut names = BTreeSet::new();
    for position in 0..versions.len() {
        for (member, facts) in manifest::members_at(position).expect("members") {
            let is_relation = ["table", "view"].contains(&member.kind.as_str());
            let is_function = member.kind == "function" && facts.text("returns") != Some("trigger");
            if is_relation || is_function {
                let name = member.object.trim_start_matches("orchestrator.");
                names.insert(name.split('(').next().unwrap_or(name).to_owned());
            }
        }
    }
    names
}

fn grouped() -> Vec<&'static str> {
    GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect()
}

#[test]
fn every_member_stands_in_one_group_and_has_one_example() {
    let (members, grouped) = (members(), grouped());
    let examples: Vec<&str> = examples::all().map(|(name, _)| name).collect();
    assert!(members.len() > 100, "{} members", members.len());
    for name in &members {
        let count = |names: &[&str]| names.iter().filter(|known| *known == name).count();
        assert_eq!(count(&grouped), 1, "src/schema/help/groups.rs: {name}");
        assert_eq!(count(&examples), 1, "src/schema/help/examples.sql: {name}");
    }
    for name in grouped.iter().chain(&examples).chain(START.iter().copied().flatten()) {
        assert!(members.contains(*name), "src/schema/help: there is no {name}");
    }
}

#[test]
fn every_example_names_its_member() {
    for (name, statement) in examples::all() {
        assert!(statement.contains(&format!("orchestrator.{name}")), "{name}: {statement}");
        assert!(statement.contains(';'), "{name}: {statement}");
    }
}
