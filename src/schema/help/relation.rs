//! A table or view in full: columns with the values that each may have, keys and rules, and which
//! level may do what.

use pgrx::pg_sys::Oid;

use super::topic::Topic;
use crate::schema::access::{levels, rights};
use crate::server::check_expression::{self, Rule};
use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{backend_state, concurrent_drop, rows};

/// A column with everything that limits its values.
struct Column {
    name: String,
    /// Type, NOT NULL and default.
    definition: String,
    comment: Option<String>,
    /// The expression trees of the CHECKs on it alone.
    trees: Vec<String>,
    /// The same CHECKs as the server prints them for a reader.
    printed: Vec<String>,
    /// The state machines that watch it.
    machines: Vec<String>,
}

/// The lines about a table or view.
pub fn lines(topic: &Topic, has_levels: bool) -> Result<Vec<String>, Error> {
    let mut lines = vec!["Columns:".to_owned()];
    lines.extend(columns(topic.oid)?.iter().flat_map(column_in_full));
    let rules = rules(topic.oid)?;
    if !rules.is_empty() {
        lines.push("Keys and rules:".to_owned());
        lines.extend(rules.iter().map(|rule| format!("  {}", without_casts(rule))));
    }
    if has_levels {
        lines.push("Levels that may use it:".to_owned());
        lines.extend(rights(&topic.name));
    }
    Ok(lines)
}

fn columns(relation: Oid) -> Result<Vec<Column>, Error> {
    static COLUMNS: Statement = Statement::new(include_str!("columns.sql"));
    in_words(|| {
        COLUMNS.select(&[relation.into()], |found| {
            rows::each(found, |row| {
                Ok(Column {
                    name: rows::value(row, 1, "column.name")?,
                    definition: rows::value(row, 2, "column.definition")?,
                    comment: rows::optional(row, 3, "column.comment")?,
                    trees: rows::value(row, 4, "column.checks")?,
                    printed: rows::value(row, 5, "column.checks")?,
                    machines: rows::value(row, 6, "column.machines")?,
                })
            })
        })
    })
}

fn rules(relation: Oid) -> Result<Vec<String>, Error> {
    static RULES: Statement = Statement::new(include_str!("rules.sql"));
    in_words(|| {
        RULES.select(&[relation.into()], |found| {
            rows::each(found, |row| rows::value(row, 1, "rule"))
        })
    })
}

/// The server prints definitions in the style that the session asks for.
fn in_words<R>(read: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    backend_state::in_plain_style(|| concurrent_drop::while_others_drop(read))
}

fn column_in_full(column: &Column) -> Vec<String> {
    let Column { name, definition, comment, trees, printed, machines } = column;
    let comment = comment.as_ref().map(|comment| format!(": {comment}")).unwrap_or_default();
    let mut lines = vec![format!("  {name} {}{comment}", without_casts(definition))];
    for (tree, printed) in trees.iter().zip(printed) {
        lines.push(match check_expression::rule(tree) {
            Some(Rule::Values(values)) => format!("      one of: {}", values.join(", ")),
            _ => format!("      {}", without_casts(printed)),
        });
    }
    lines.extend(machines.iter().map(|machine| {
        format!("      state machine: {machine}; see SELECT orchestrator.help('{machine}');")
    }));
    lines
}

/// A definition without the casts that the server writes behind each literal.
pub fn without_casts(definition: &str) -> String {
    const CASTS: [&str; 7] =
        ["text[]", "uuid[]", "text", "uuid", "jsonb", "integer", "timestamp with time zone"];
    CASTS.iter().fold(definition.to_owned(), |text, cast| {
        ["'", "NULL"]
            .iter()
            .fold(text, |text, literal| text.replace(&format!("{literal}::{cast}"), literal))
    })
}

/// What each level may do, one line per privilege.
fn rights(relation: &str) -> Vec<String> {
    let granted = levels::relation(relation).unwrap_or_default();
    let line = |right: &rights::Right| {
        let columns = match right.columns {
            [] => String::new(),
            columns => format!(" ({})", columns.join(", ")),
        };
        format!("  {}: {}{columns}", right.privilege, rights::names(right.levels))
    };
    if granted.is_empty() { vec!["  none".to_owned()] } else { granted.iter().map(line).collect() }
}
