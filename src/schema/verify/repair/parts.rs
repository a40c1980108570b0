//! Parts of tables: constraints, indexes and triggers.

use crate::schema::definition;
use crate::schema::facts::{Facts, Member};

pub fn add_constraint(member: &Member, expected: &Facts) -> String {
    let (table, name) = member.split();
    let rule = definition::of(member, expected);
    format!("ALTER TABLE {table} ADD CONSTRAINT {name} {rule};")
}

pub fn change_constraint(member: &Member, expected: &Facts, actual: &Facts) -> String {
    let (table, name) = member.split();
    if !actual.equal_but_for(expected, &["not_valid", "disabled"]) {
        let rule = definition::of(member, expected);
        return format!(
            "ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {rule};"
        );
    }
    let mut statements = Vec::new();
    if actual.holds("disabled") {
        statements.push(format!("ALTER TABLE {table} ENABLE TRIGGER ALL;"));
        // A foreign key has triggers on both of its tables.
        if let Some(parent) = expected.text("references").filter(|parent| *parent != table) {
            statements.push(format!("ALTER TABLE {parent} ENABLE TRIGGER ALL;"));
        }
    }
    if actual.holds("not_valid") {
        statements.push(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name};"));
    }
    statements.join(" ")
}

pub fn make_index(member: &Member, expected: &Facts) -> String {
    format!("{};", definition::create_index(&member.object, expected))
}

pub fn change_index(member: &Member, expected: &Facts, actual: &Facts) -> String {
    let index = &member.object;
    if actual.equal_but_for(expected, &["invalid"]) {
        return format!("REINDEX INDEX {index};");
    }
    // An index that a constraint owns cannot be dropped; its options can be reset.
    if actual.equal_but_for(expected, &["invalid", "options"])
        && expected.list("options").is_empty()
    {
        return format!("ALTER INDEX {index} RESET ({});", option_names(actual));
    }
    format!("DROP INDEX {index}; {}", make_index(member, expected))
}

/// The names in a list of options with their values.
pub fn option_names(facts: &Facts) -> String {
    let options = facts.list("options").into_iter();
    let names = options.map(|option| option.split('=').next().unwrap_or(option));
    names.collect::<Vec<_>>().join(", ")
}

pub fn make_trigger(table: &str, name: &str, expected: &Facts, actual: Option<&Facts>) -> String {
    let state = expected.text("state");
    let enable = match state {
        None => format!("ALTER TABLE {table} ENABLE TRIGGER {name};"),
        Some(state) => format!("ALTER TABLE {table} ENABLE {state} TRIGGER {name};"),
    };
    if actual.is_some_and(|actual| actual.equal_but_for(expected, &["state"])) {
        return enable;
    }
    let drop = actual.map(|_| format!("DROP TRIGGER {name} ON {table};"));
    let enable = state.map(|_| enable);
    let create = Some(format!("{};", definition::create_trigger(name, expected)));
    [drop, create, enable].into_iter().flatten().collect::<Vec<_>>().join(" ")
}
