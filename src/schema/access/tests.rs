use std::collections::BTreeSet;
use std::sync::Arc;

use super::levels;
use super::rights::{Level, NOBODY, Rights};
use crate::schema::definition;
use crate::schema::facts::Facts;
use crate::schema::manifest;

/// The members of the newest version: kind, bare name, facts.
fn members() -> Vec<(String, String, Arc<Facts>)> {
    let versions = manifest::versions().expect("a manifest");
    let members = manifest::members_at(versions.len() - 1).expect("members");
    members
        .into_iter()
        .map(|(member, facts)| {
            let name = member.object.trim_start_matches("orchestrator.");
            let name = name.split('(').next().unwrap_or(name);
            (member.kind, name.to_owned(), facts)
        })
        .collect()
}

fn names(kinds: &[&str]) -> Vec<String> {
    let of_kind = |(kind, name, _): (String, String, Arc<Facts>)| {
        kinds.contains(&kind.as_str()).then_some(name)
    };
    members().into_iter().filter_map(of_kind).collect()
}

const RELATIONS: [&str; 3] = ["table", "view", "sequence"];

#[test]
fn every_object_of_the_newest_version_has_been_considered() {
    for name in names(&RELATIONS) {
        assert!(
            levels::relation(&name).is_some(),
            "src/schema/access: which levels may use {name}?"
        );
    }
    for name in names(&["function"]) {
        assert!(
            levels::function(&name, true).is_some(),
            "src/schema/access: which levels may call {name}?"
        );
    }
}

#[test]
fn nothing_is_considered_that_is_not_there_or_twice() {
    let mut considered: Vec<&str> = levels::relations().map(|(name, _)| *name).collect();
    let there = names(&RELATIONS);
    for name in &considered {
        assert!(there.iter().any(|known| known == name), "src/schema/access: there is no {name}");
    }
    let functions = names(&["function"]);
    for name in levels::functions().flat_map(|(_, _, names)| names.iter()) {
        assert!(
            functions.iter().any(|known| known == name),
            "src/schema/access: there is no {name}"
        );
        considered.push(name);
    }
    let distinct: BTreeSet<&str> = considered.iter().copied().collect();
    assert_eq!(distinct.len(), considered.len(), "src/schema/access: something is listed twice");
    // Levels know functions by their names, so the forms of one have the same rights. A form that a later
    // version adds gets its grants from its script (`copy_grants`).
    const FORMS: [&str; 9] = [
        "record_llm_call",
        "record_run_progress",
        "record_safety",
        "request_review",
        "set_price",
        "set_budget",
        "reserve_budget",
        "settle_budget",
        "raise_budget",
    ];
    for name in functions.iter().filter(|name| !FORMS.contains(&name.as_str())) {
        let forms = functions.iter().filter(|other| *other == name).count();
        assert_eq!(forms, 1, "{name} has several forms");
    }
}

#[test]
fn columns_that_rights_name_are_there() {
    let columns = names(&["column"]);
    for (name, rights) in levels::relations() {
        for column in rights.iter().flat_map(|right| right.columns) {
            let column = format!("{name}.{column}");
            assert!(columns.contains(&column), "src/schema/access: there is no {column}");
        }
    }
}

/// The scripts declare SECURITY DEFINER for exactly the functions that the table declares it for,
/// and each of them pins its search path.
#[test]
fn what_runs_with_the_owners_rights_is_what_the_table_says() {
    for (_, rights, names) in levels::functions() {
        for name in *names {
            let found =
                members().into_iter().find(|(kind, known, _)| kind == "function" && known == name);
            let Some((_, _, facts)) = found else { continue };
            let definer = facts.holds("definer");
            assert_eq!(definer, *rights == Rights::Owner, "{name}: {facts:?}");
            if definer {
                assert!(definition::is_pinned(&facts), "{name}: {facts:?}");
            }
        }
    }
}

#[test]
fn admins_may_do_what_any_level_may_and_marks_are_told_apart() {
    let all = levels::functions().map(|(levels, _, _)| *levels);
    let all =
        all.chain(levels::relations().flat_map(|(_, rights)| rights.iter().map(|r| r.levels)));
    for levels in all {
        assert!(levels.is_empty() || levels.contains(&Level::Admin), "{levels:?}");
    }
    for level in Level::ALL {
        let callers = levels::function(level.mark(), true).unwrap_or(NOBODY);
        assert!(callers.contains(&level), "{level:?} may call what marks it");
        let first = callers.first();
        let expected = if level == Level::Reader { Some(&Level::Reader) } else { Some(&level) };
        assert_eq!(first, expected, "no level before {level:?} may call what marks it");
    }
    let later = |level: Level| levels::function(level.mark(), true).unwrap_or(NOBODY);
    assert!(
        !later(Level::Worker).contains(&Level::Reviewer),
        "a reviewer does not look like a worker"
    );
}

/// The tables whose rows are resolved, recorded or published.
const WRITTEN_BY_FUNCTIONS: [&str; 7] = [
    "gates",
    "approvals",
    "human_review_queue",
    "orchestrator_runs",
    "audit_events",
    "prompts",
    "tool_executions",
];

#[test]
fn no_level_writes_past_the_functions_or_empties_a_table() {
    for (name, rights) in levels::relations() {
        for right in *rights {
            let privilege = right.privilege;
            assert!(
                ["SELECT", "INSERT", "UPDATE", "DELETE"].contains(&privilege),
                "{name} {privilege}"
            );
            let written = WRITTEN_BY_FUNCTIONS.contains(name) && privilege != "SELECT";
            assert!(!written, "{name}: {privilege}");
        }
    }
}
