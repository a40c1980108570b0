//! Help in psql: what exists, what it is for, and an example of each function. All of it is read
//! from the live catalog and its COMMENTs, so that it tells of the installed version.

use pgrx::iter::SetOfIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::schema::lifecycle;
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{arguments, interrupts, statements};

/// One statement per function, each under a line `-- name`.
const EXAMPLES: &str = include_str!("examples.sql");

/// A member of the extension that a user works with.
struct Topic {
    kind: String,
    name: String,
    /// The arguments by name; empty for tables and views.
    arguments: String,
    /// The whole signature, or nothing.
    signature: String,
    comment: String,
}

/// What exists, or one thing of it in full: a table or view with its columns, a function with an
/// example, a state machine as a Mermaid diagram.
///
/// `topic`: its name, with or without the schema; NULL lists everything. Returns: lines of text.
/// Errors: 22023 blank topic, P0002 no such topic. Since 0.0.0.
#[pg_extern(sql = false, stable)]
fn help(
    topic: default!(Option<&str>, "NULL"),
) -> Result<SetOfIterator<'static, String>, ErrorReport> {
    let topics = topics()?;
    let Some(topic) = topic else {
        return Ok(SetOfIterator::new(overview(&topics)));
    };
    let wanted = arguments::filled("topic", Some(topic))?.trim().to_lowercase();
    let name = wanted.strip_prefix("orchestrator.").unwrap_or(&wanted);
    let mut lines = Vec::new();
    for topic in topics.iter().filter(|topic| topic.name == name) {
        lines.extend(in_full(topic)?);
    }
    if let Some(diagram) = lifecycle::diagram(name).filter(|_| has_machines(&topics)) {
        lines.push(format!("state machine {name}"));
        lines.extend(diagram);
    }
    if lines.is_empty() {
        return Err(unknown(name, &topics).into());
    }
    Ok(SetOfIterator::new(lines))
}

fn topics() -> Result<Vec<Topic>, Error> {
    static TOPICS: Statement = Statement::new(include_str!("topics.sql"));
    TOPICS.select(&[], |rows| {
        let mut topics = Vec::with_capacity(rows.len());
        for row in rows {
            interrupts::allow();
            let text = |place| row.get::<String>(place).map(Option::unwrap_or_default);
            topics.push(Topic {
                kind: text(1)?,
                name: text(2)?,
                arguments: text(3)?,
                signature: text(4)?,
                comment: text(5)?,
            });
        }
        Ok(topics)
    })
}

/// Whether the installed version enforces state machines.
fn has_machines(topics: &[Topic]) -> bool {
    topics.iter().any(|topic| topic.name == "allowed_transitions")
}

fn overview(topics: &[Topic]) -> Vec<String> {
    let mut lines = Vec::new();
    for (kind, heading) in [("table", "Tables"), ("view", "Views"), ("function", "Functions")] {
        let mut of_kind = topics.iter().filter(|topic| topic.kind == kind).peekable();
        if of_kind.peek().is_some() {
            lines.push(heading.to_owned());
        }
        for Topic { name, arguments, comment, .. } in of_kind {
            lines.push(format!("  {name}{arguments}"));
            lines.push(format!("      {comment}"));
        }
    }
    if has_machines(topics) {
        lines.push(format!("State machines: {}", lifecycle::machine_names()));
    }
    lines.push("More of one: SELECT orchestrator.help('verify');".to_owned());
    lines
}

/// Everything about one topic.
fn in_full(topic: &Topic) -> Result<Vec<String>, Error> {
    let Topic { kind, name, signature, comment, .. } = topic;
    let mut lines = vec![format!("{kind} orchestrator.{name}{signature}"), comment.clone()];
    if kind == "function" {
        if let Some(example) = example(name) {
            lines.push("Example:".to_owned());
            lines.extend(example.lines().map(|line| format!("  {line}")));
        }
    } else {
        lines.push("Columns:".to_owned());
        lines.extend(columns(name)?.into_iter().map(|column| format!("  {column}")));
    }
    Ok(lines)
}

fn columns(relation: &str) -> Result<Vec<String>, Error> {
    static COLUMNS: Statement = Statement::new(
        "SELECT concat(a.attname, ' ', format_type(a.atttypid, a.atttypmod), \
                CASE WHEN a.attnotnull THEN ' not null' END, \
                ' default ' || pg_get_expr(d.adbin, d.adrelid), \
                ': ' || col_description(a.attrelid, a.attnum)) \
         FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         WHERE a.attrelid = format('orchestrator.%I', $1)::regclass AND a.attnum > 0 AND NOT a.attisdropped \
         ORDER BY a.attnum",
    );
    COLUMNS.select(&[relation.into()], statements::column::<String>)
}

/// The example of a function.
fn example(function: &str) -> Option<&'static str> {
    EXAMPLES.split("\n-- ").find_map(|block| {
        let (name, statement) = block.split_once('\n')?;
        (name.trim_start_matches("-- ") == function).then(|| statement.trim_end())
    })
}

fn unknown(name: &str, topics: &[Topic]) -> Error {
    let mut near: Vec<&str> = topics
        .iter()
        .map(|topic| topic.name.as_str())
        .filter(|known| known.contains(name))
        .collect();
    near.dedup();
    let error = Error::new(Kind::NotFound, format!("there is no help on \"{name}\""));
    if near.is_empty() {
        error.hint("SELECT orchestrator.help() lists everything there is.")
    } else {
        error.hint(format!("There is help on: {}.", near.join(", ")))
    }
}
