//! The versions of prompts that are live, by agent type and label.

use crate::database::{Database, optional, text};
use crate::failure::Failure;

/// An agent type under a label.
pub struct Line {
    pub agent_type: String,
    pub versions: String,
    pub highest: String,
    /// None if no version was ever live.
    pub label: Option<String>,
    /// The versions with their shares; none if they were taken out.
    pub live: Option<String>,
}

/// The agent types whose name contains words, or the one of a name, with each of their labels.
pub async fn lines(
    database: &Database,
    words: Option<&str>,
    agent_type: Option<&str>,
    offset: usize,
) -> Result<Vec<Line>, Failure> {
    const LINES: &str = include_str!("prompts.sql");
    let offset = offset.to_string();
    let parameters = [words, agent_type, Some(offset.as_str())];
    database
        .lines(LINES, &parameters, |row| Line {
            agent_type: text(row, "agent_type"),
            versions: text(row, "versions"),
            highest: text(row, "highest"),
            label: optional(row, "label"),
            live: optional(row, "live"),
        })
        .await
}
