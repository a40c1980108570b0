//! The runs, those that changed last first.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::{Frame, after, before, rendered};
use crate::app::Visitor;
use crate::database::{number, text};
use crate::failure::Failure;
use crate::forms::filled;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    thread: String,
    page: u32,
}

struct Line {
    thread: String,
    phase: String,
    gate: String,
    agent: String,
    cost: String,
    tokens: String,
    open: i64,
    updated: String,
}

#[derive(Template)]
#[template(path = "runs.html")]
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
    const LINES: &str = include_str!("runs.sql");
    let offset = before(filter.page).to_string();
    let parameters = [filled(&filter.thread), Some(offset.as_str())];
    let lines = session
        .database
        .lines(LINES, &parameters, |row| Line {
            thread: text(row, "thread_id"),
            phase: text(row, "phase"),
            gate: text(row, "gate_status"),
            agent: text(row, "current_agent"),
            cost: text(row, "cost"),
            tokens: text(row, "tokens"),
            open: number(row, "open"),
            updated: text(row, "updated"),
        })
        .await?;
    let next = after(filter.page, lines.len());
    rendered(&Page { frame: Frame::of(&session, "/runs"), filter: &filter, lines, next })
}
