//! The workflows, the active ones first.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::{Frame, after, before, rendered, workflow};
use crate::app::Visitor;
use crate::database::{number, text};
use crate::failure::Failure;
use crate::forms::filled;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// One workflow instead of the list.
    id: String,
    name: String,
    page: u32,
}

struct Line {
    id: String,
    name: String,
    status: String,
    tasks: i64,
    done: i64,
    running: i64,
    failed: i64,
    sequence: String,
    changed: String,
}

#[derive(Template)]
#[template(path = "workflows.html")]
struct Page<'a> {
    frame: Frame<'a>,
    filter: &'a Filter,
    lines: Vec<Line>,
    next: Option<u32>,
}

pub async fn page(
    Visitor(session): Visitor,
    Query(filter): Query<Filter>,
) -> Result<Response, Failure> {
    const LINES: &str = include_str!("workflows.sql");
    if let Some(id) = filled(&filter.id) {
        return workflow::page(&session, id).await;
    }
    let offset = before(filter.page).to_string();
    let parameters = [filled(&filter.name), Some(offset.as_str())];
    let lines = session
        .database
        .lines(LINES, &parameters, |row| Line {
            id: text(row, "id"),
            name: text(row, "name"),
            status: text(row, "status"),
            tasks: number(row, "tasks"),
            done: number(row, "done"),
            running: number(row, "running"),
            failed: number(row, "failed"),
            sequence: text(row, "sequence"),
            changed: text(row, "changed"),
        })
        .await?;
    let next = after(filter.page, lines.len());
    rendered(&Page { frame: Frame::of(&session, "/workflows"), filter: &filter, lines, next })
}
