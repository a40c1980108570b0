//! Columns that are missing or have another definition. No statement loses a value.

use crate::schema::column::Column;
use crate::schema::facts::Facts;

pub fn add(table: &str, name: &str, expected: &Facts) -> String {
    let due = Column(expected);
    let mut statement = format!("ALTER TABLE {table} ADD COLUMN {name} {}", due.type_name());
    if let Some(identity) = due.identity() {
        statement.push_str(&format!(" GENERATED {identity} AS IDENTITY"));
    }
    if let Some(default) = due.default() {
        statement.push_str(&format!(" DEFAULT {default}"));
    }
    if let Some(expression) = due.generated() {
        statement.push_str(&format!(" GENERATED ALWAYS AS ({expression}) STORED"));
    }
    let has_values = due.identity().is_some() || due.default().is_some() || due.is_generated();
    match (due.not_null(), has_values) {
        (true, true) => statement.push_str(" NOT NULL;"),
        // The rows of the table have no values for the column yet.
        (true, false) => statement.push_str(&format!(
            "; -- set a value in every row, then ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL;"
        )),
        (false, _) => statement.push(';'),
    }
    statement
}

/// `None` if a plain column would have to become an identity or a generated one.
pub fn change(table: &str, name: &str, expected: &Facts, actual: &Facts) -> Option<String> {
    let (due, is) = (Column(expected), Column(actual));
    if due.is_generated() || (due.identity().is_some() && due.identity() != is.identity()) {
        return None;
    }
    let mut actions = Vec::new();
    if is.is_generated() {
        actions.push("DROP EXPRESSION".to_owned());
    }
    if due.identity().is_none() && is.identity().is_some() {
        actions.push("DROP IDENTITY".to_owned());
    }
    let other_type = !due.has_type_of(&is);
    if is.default().is_some() && (other_type || due.default().is_none()) {
        actions.push("DROP DEFAULT".to_owned());
    }
    if other_type {
        let type_name = due.type_name();
        actions.push(format!("TYPE {type_name} USING {}", converted(name, &type_name)));
    }
    if let Some(default) = due.default()
        && (other_type || is.default() != due.default())
    {
        actions.push(format!("SET DEFAULT {default}"));
    }
    if due.not_null() != is.not_null() {
        actions.push(format!("{} NOT NULL", if due.not_null() { "SET" } else { "DROP" }));
    }
    if let Some(usual) = actual.text("usual_storage") {
        actions.push(format!("SET STORAGE {usual}"));
    }
    if actual.text("compression").is_some() {
        actions.push("SET COMPRESSION default".to_owned());
    }
    if actual.number("statistics").is_some() {
        actions.push("SET STATISTICS -1".to_owned());
    }
    let actions: Vec<_> =
        actions.into_iter().map(|action| format!("ALTER COLUMN {name} {action}")).collect();
    Some(format!("ALTER TABLE {table} {};", actions.join(", ")))
}

/// A value in another type. The length is left to the assignment, which refuses an overlong text; a
/// cast would cut it. A number with more decimals than the scale is refused, because the server would
/// round it.
fn converted(name: &str, type_name: &str) -> String {
    let plain = type_name.split(" COLLATE ").next().unwrap_or(type_name);
    let Some((base, modifier)) = plain.split_once('(') else {
        return format!("{name}::text::{plain}");
    };
    match modifier.trim_end_matches(')').split_once(',') {
        Some((_, scale)) if base == "numeric" => format!(
            "CASE WHEN {name}::text::numeric = round({name}::text::numeric, {scale}) THEN {name}::text::numeric \
             ELSE ({name}::text || ' has more than {scale} decimals')::numeric END"
        ),
        None if base == "character varying" || base == "character" => {
            format!("{name}::text::{base}")
        }
        _ => format!("{name}::text::{plain}"),
    }
}
