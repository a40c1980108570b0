//! Each list of values in Rust has the values of the CHECK of its column in the newest version, and
//! each CHECK that lists values belongs to a list, to a state machine, or to users alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::agents::{collaboration, knowledge};
use crate::configuration;
use crate::decisions::{gates, inbox, reviews};
use crate::schema::client_types::value_set;
use crate::schema::{definition, lifecycle, manifest};
use crate::tasks::{routing, sessions};
use crate::v7::sign_offs;

/// The lists that functions check their arguments by, with the columns that hold the values.
const LISTS: [(&str, &[&str]); 7] = [
    ("collaboration_requests.request_type", &collaboration::REQUEST_TYPES),
    ("collaboration_requests.urgency", &collaboration::URGENCIES),
    ("configurations.value_type", &configuration::TYPES),
    ("gates.gate_type", &gates::TYPES),
    ("human_review_queue.review_type", &reviews::TYPES),
    ("knowledge_staging.knowledge_type", &knowledge::TYPES),
    ("migration_sign_offs.stage", &sign_offs::STAGES),
];

/// Columns whose values no function takes as an argument.
const WRITTEN_BY_USERS: [&str; 10] = [
    "file_audit.audit_status",
    "file_audit.status",
    "llm_pricing.status",
    "sessions.connection_type",
    "v7_enum_migrations.risk_level",
    "v7_global_impacts.change_type",
    "v7_global_impacts.risk_assessment",
    "v7_migration_workflow.approval_status",
    "v7_test_results.test_status",
    "v7_test_results.test_type",
];

type Values = BTreeSet<String>;

/// The definitions of a kind in the newest version, by name without the schema.
fn definitions(kind: &str) -> BTreeMap<String, String> {
    let versions = manifest::versions().expect("a manifest");
    let members = manifest::members_at(versions.len() - 1).expect("members");
    let of_kind = members.into_iter().filter(|(member, _)| member.kind == kind);
    of_kind
        .map(|(member, facts)| {
            let definition = definition::of(&member, &facts);
            (member.object.trim_start_matches("orchestrator.").to_owned(), definition)
        })
        .collect()
}

/// The values that a CHECK lists for a column, by `table.column`.
fn checked() -> BTreeMap<String, Values> {
    let mut checked = BTreeMap::new();
    for (name, definition) in definitions("constraint") {
        // gates.gates_status_check
        let Some((table, constraint)) = name.split_once('.') else { continue };
        let column = constraint.strip_prefix(&format!("{table}_"));
        let Some(column) = column.and_then(|column| column.strip_suffix("_check")) else {
            continue;
        };
        if let Some(values) = value_set::listed(&definition, column) {
            checked.insert(format!("{table}.{column}"), values.into_iter().collect());
        }
    }
    checked
}

/// The state machine of each column that has one, by `table.column`.
fn machines() -> BTreeMap<String, String> {
    let mut machines = BTreeMap::new();
    for (name, definition) in definitions("trigger") {
        let Some((_, arguments)) = definition.split_once("enforce_lifecycle(") else { continue };
        let (table, _) = name.split_once('.').expect("a trigger is on a table");
        let words: Vec<&str> = arguments.split('\'').skip(1).step_by(2).collect();
        for pair in words.chunks(2) {
            machines.insert(format!("{table}.{}", pair[1]), pair[0].to_owned());
        }
    }
    machines
}

fn set(values: &[&str]) -> Values {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn every_check_that_lists_values_has_one_list_in_rust() {
    let (checked, machines) = (checked(), machines());
    for (column, values) in &checked {
        let list = LISTS.iter().find(|(of, _)| of == column).map(|(_, list)| set(list));
        let states = machines.get(column).map(|machine| set(&lifecycle::states(machine)));
        let users = WRITTEN_BY_USERS.contains(&column.as_str()).then(|| values.clone());
        let known: Vec<Values> = [list, states, users].into_iter().flatten().collect();
        assert_eq!(
            known,
            std::slice::from_ref(values),
            "src/value_sets.rs: whose are the values of {column}?"
        );
    }
    let listed = LISTS.iter().map(|(column, _)| *column).chain(WRITTEN_BY_USERS);
    for column in listed.chain(machines.keys().map(String::as_str)) {
        assert!(checked.contains_key(column), "no CHECK lists values of {column}");
    }
}

#[test]
fn routed_tasks_have_the_types_of_the_check() {
    let rule = &definitions("constraint")["tasks.tasks_routed_check"];
    let (_, types) = rule.split_once("(task_type = ").expect("a rule for the types");
    let (types, _) = types.split_once("])").expect("a list");
    let types = value_set::listed(&format!("CHECK ((task_type = {types}])))"), "task_type")
        .expect("the types are listed");
    assert_eq!(types.into_iter().collect::<Values>(), set(&routing::TYPES));
}

#[test]
fn words_for_steps_and_decisions_are_states() {
    for (event, state) in sessions::EVENTS {
        assert!(lifecycle::state("session", state).is_some(), "{event}: {state}");
    }
    for (machine, no) in inbox::KINDS {
        assert_eq!(set(&lifecycle::ends(machine)), set(&["approved", no]), "{machine}");
    }
}
