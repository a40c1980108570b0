//! Each list of values in Rust has the values of the CHECK of its column in the newest version, and
//! each CHECK that lists values belongs to a list, to a state machine, or to a column whose values no
//! function takes.

use std::collections::{BTreeMap, BTreeSet};

use pgrx::prelude::*;

use crate::agents::{budgets, collaboration, knowledge};
use crate::configuration;
use crate::decisions::{gates, inbox, reviews, rules};
use crate::schema::client_types::catalog;
use crate::schema::lifecycle;
use crate::server::statements::{self, Statement};
use crate::server::{check_expression, rows};
use crate::tasks::{routing, sessions};
use crate::v7::sign_offs;

/// The lists that functions check their arguments by, with the columns that hold the values.
const LISTS: [(&str, &[&str]); 12] = [
    ("budgets.period", &budgets::PERIODS),
    ("collaboration_requests.request_type", &collaboration::REQUEST_TYPES),
    ("collaboration_requests.urgency", &collaboration::URGENCIES),
    ("configurations.value_type", &configuration::types::TYPES),
    ("decision_rules.kind", &rules::KINDS),
    ("decision_rules.on_timeout", &rules::TIMEOUTS),
    ("decision_terms.kind", &rules::KINDS),
    ("decision_terms.on_timeout", &rules::TIMEOUTS),
    ("gates.gate_type", &gates::TYPES),
    ("human_review_queue.review_type", &reviews::TYPES),
    ("knowledge_staging.knowledge_type", &knowledge::TYPES),
    ("migration_sign_offs.stage", &sign_offs::STAGES),
];

/// Columns whose values no function takes as an argument.
const TAKEN_BY_NO_FUNCTION: [&str; 13] = [
    "budget_holds.state",
    "decision_votes.vote",
    "file_audit.audit_status",
    "file_audit.status",
    "llm_pricing.status",
    "sessions.connection_type",
    "task_attempts.outcome",
    "v7_enum_migrations.risk_level",
    "v7_global_impacts.change_type",
    "v7_global_impacts.risk_assessment",
    "v7_migration_workflow.approval_status",
    "v7_test_results.test_status",
    "v7_test_results.test_type",
];

type Values = BTreeSet<String>;

/// The values that a CHECK lists for a column of a table, by `table.column`.
fn checked() -> BTreeMap<String, Values> {
    let mut checked = BTreeMap::new();
    for relation in catalog::relations().expect("the tables") {
        for column in &relation.columns {
            if let Some(values) = column.values() {
                let name = format!("{}.{}", relation.name, column.name);
                checked.insert(name, values.iter().cloned().collect());
            }
        }
    }
    checked
}

/// The state machine of each column that has one, by `table.column`.
fn machines() -> BTreeMap<String, String> {
    static MACHINES: Statement = Statement::new(
        "SELECT format('%s.%s', c.relname, w.words[i + 1]), w.words[i] \
         FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid \
         JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.proname = 'enforce_lifecycle', \
              LATERAL (SELECT string_to_array(encode(t.tgargs, 'escape'), E'\\\\000')) AS w (words), \
              generate_series(1, t.tgnargs - 1, 2) AS i \
         WHERE c.relnamespace = 'orchestrator'::regnamespace",
    );
    let machines = MACHINES.select(&[], |found| {
        rows::each(found, |row| {
            Ok((rows::value(row, 1, "column")?, rows::value(row, 2, "machine")?))
        })
    });
    machines.expect("the triggers").into_iter().collect()
}

fn set(values: &[&str]) -> Values {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[pg_schema]
mod tests {
    use super::*;

    #[pg_test]
    fn every_check_that_lists_values_has_one_list_in_rust() {
        let (checked, machines) = (checked(), machines());
        for (column, values) in &checked {
            let list = LISTS.iter().find(|(of, _)| of == column).map(|(_, list)| set(list));
            let states = machines.get(column).map(|machine| set(&lifecycle::states(machine)));
            let users = TAKEN_BY_NO_FUNCTION.contains(&column.as_str()).then(|| values.clone());
            let known: Vec<Values> = [list, states, users].into_iter().flatten().collect();
            assert_eq!(
                known,
                std::slice::from_ref(values),
                "src/value_sets.rs: whose are the values of {column}?"
            );
        }
        let listed = LISTS.iter().map(|(column, _)| *column).chain(TAKEN_BY_NO_FUNCTION);
        for column in listed.chain(machines.keys().map(String::as_str)) {
            assert!(checked.contains_key(column), "no CHECK lists values of {column}");
        }
    }

    #[pg_test]
    fn routed_tasks_have_the_types_of_the_check() {
        static TREE: Statement = Statement::new(
            "SELECT c.conbin::text, a.attnum FROM pg_constraint AS c \
             JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attname = 'task_type' \
             WHERE c.conrelid = 'orchestrator.tasks'::regclass AND c.conname = 'tasks_routed_check'",
        );
        let rule = TREE.select(&[], statements::two::<String, i16>).expect("the rule");
        let Some((Some(tree), Some(task_type))) = rule else { panic!("tasks has no such rule") };
        let lists = check_expression::lists(&tree);
        let types: Vec<_> = lists.into_iter().filter(|(column, _)| *column == task_type).collect();
        let [(_, types)] = types.as_slice() else { panic!("the types are listed once: {types:?}") };
        assert_eq!(types.iter().cloned().collect::<Values>(), set(&routing::TYPES));
    }

    #[pg_test]
    fn words_for_steps_and_decisions_are_states() {
        for (event, state) in sessions::EVENTS {
            assert!(lifecycle::state("session", state).is_some(), "{event}: {state}");
        }
        for (machine, no) in inbox::KINDS {
            let ends = set(&lifecycle::ends(machine));
            assert!(ends.is_superset(&set(&["approved", no])), "{machine}: {ends:?}");
        }
    }
}
