//! The agent types with the versions of their prompts that are live.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::{Frame, prompt, rendered};
use crate::app::Visitor;
use crate::database::{Database, optional, text};
use crate::failure::Failure;
use crate::forms::filled;

/// The lines of a page.
pub const SHOWN: usize = 50;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The agent type of the page; empty for the list.
    pub agent_type: String,
    /// The version whose text is shown.
    pub version: String,
    /// The two versions that are compared.
    pub a: String,
    pub b: String,
    words: String,
    page: u32,
}

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

#[derive(Template)]
#[template(path = "prompts.html")]
struct Page<'a> {
    frame: Frame<'a>,
    asked: &'a Asked,
    lines: Vec<Line>,
    next: Option<u32>,
}

pub async fn page(
    Visitor(session): Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    if !asked.agent_type.is_empty() {
        return prompt::page(&session, &asked).await;
    }
    let offset = asked.page as usize * SHOWN;
    let lines = lines(&session.database, filled(&asked.words), None, offset).await?;
    let next = (lines.len() == SHOWN).then(|| asked.page + 1);
    rendered(&Page { frame: Frame::of(&session, "/prompts"), asked: &asked, lines, next })
}

/// The agent types whose name contains words, or the one of a name, with each of their labels.
pub async fn lines(
    database: &Database,
    words: Option<&str>,
    agent_type: Option<&str>,
    offset: usize,
) -> Result<Vec<Line>, Failure> {
    const LINES: &str = include_str!("prompts.sql");
    let rows = database.rows(LINES, &[words, agent_type, Some(&offset.to_string())]).await?;
    let line = |row| Line {
        agent_type: text(row, "agent_type"),
        versions: text(row, "versions"),
        highest: text(row, "highest"),
        label: optional(row, "label"),
        live: optional(row, "live"),
    };
    Ok(rows.iter().map(line).collect())
}
