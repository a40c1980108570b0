//! Help in psql: where to start, what exists by capability, and each member in full. All of it is
//! read from the live catalog and its COMMENTs, so it describes the installed version.

mod documentation;
mod examples;
mod function;
mod groups;
mod near;
mod overview;
mod paragraph;
mod relation;
#[cfg(test)]
mod tests;
mod topic;

use pgrx::iter::SetOfIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::schema::access::levels;
use crate::schema::lifecycle;
use crate::server::arguments;
use crate::server::error::{Error, Kind};
use topic::{Topic, Version};

/// Where to start and what exists, or one thing of it in full: a table or view with its columns and
/// their values, a function with arguments, results, errors and an example, a state machine as a
/// Mermaid diagram.
///
/// `topic`: its name, with or without the schema; NULL lists everything. Returns: lines of text.
/// Errors: 22023 blank topic, P0002 no such topic. Since 0.0.0.
#[pg_extern(sql = false, stable)]
fn help(
    topic: default!(Option<&str>, "NULL"),
) -> Result<SetOfIterator<'static, String>, ErrorReport> {
    let topics = topic::all()?;
    let Some(topic) = topic else {
        return Ok(SetOfIterator::new(overview::lines(&topics)));
    };
    let wanted = arguments::filled("topic", Some(topic))?.trim().to_lowercase();
    let name = wanted.strip_prefix("orchestrator.").unwrap_or(&wanted);
    let version = Version {
        has_levels: topic::has(&topics, "grant_access"),
        reviewers_steer: topic::has(&topics, levels::REVIEWERS_STEER),
    };
    let mut lines = Vec::new();
    for topic in topics.iter().filter(|topic| topic.name == name) {
        lines.extend(in_full(topic, &version)?);
    }
    if let Some(example) = examples::of(name).filter(|_| !lines.is_empty()) {
        lines.push("Example:".to_owned());
        lines.extend(example.lines().map(|line| format!("  {line}")));
    }
    if let Some(diagram) = lifecycle::diagram(name).filter(|_| overview::has_machines(&topics)) {
        lines.push(format!("state machine {name}"));
        lines.extend(diagram);
    }
    if lines.is_empty() {
        return Err(unknown(name, &topics).into());
    }
    Ok(SetOfIterator::new(lines))
}

/// Everything about one topic except its example, which all forms of a function share.
fn in_full(topic: &Topic, version: &Version) -> Result<Vec<String>, Error> {
    let Topic { kind, name, signature, comment, .. } = topic;
    let mut lines = vec![format!("{kind} orchestrator.{name}{signature}"), comment.clone()];
    lines.extend(match topic.is_function() {
        true => function::lines(topic, version)?,
        false => relation::lines(topic, version.has_levels)?,
    });
    Ok(lines)
}

fn unknown(name: &str, topics: &[Topic]) -> Error {
    let near = near::matches(name, topics.iter().map(|topic| topic.name.as_str()));
    let error = Error::new(Kind::NotFound, format!("there is no help on \"{name}\""));
    if near.is_empty() {
        error.hint("List every topic: SELECT orchestrator.help();")
    } else {
        error.hint(format!("There is help on: {}.", near.join(", ")))
    }
}
