//! Questions that were decided, newest first, with a search over what was asked and who decided.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::{Frame, after, before, rendered};
use crate::app::Visitor;
use crate::database::text;
use crate::failure::Failure;
use crate::forms::filled;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Search {
    words: String,
    page: u32,
}

struct Line {
    id: String,
    kind: String,
    status: String,
    subject: String,
    asks: String,
    decided_by: String,
    decided_at: String,
    notes: String,
}

#[derive(Template)]
#[template(path = "decided.html")]
struct Page<'a> {
    frame: Frame<'a>,
    search: &'a Search,
    lines: Vec<Line>,
    next: Option<u32>,
}

pub async fn page(
    Visitor(session): Visitor,
    Query(search): Query<Search>,
) -> Result<Response, Failure> {
    const LINES: &str = include_str!("decided.sql");
    let offset = before(search.page).to_string();
    let parameters = [filled(&search.words), Some(offset.as_str())];
    let lines = session
        .database
        .lines(LINES, &parameters, |row| Line {
            id: text(row, "id"),
            kind: text(row, "kind"),
            status: text(row, "status"),
            subject: text(row, "subject"),
            asks: text(row, "asks"),
            decided_by: text(row, "decided_by"),
            decided_at: text(row, "decided_at"),
            notes: text(row, "notes"),
        })
        .await?;
    let next = after(search.page, lines.len());
    rendered(&Page { frame: Frame::of(&session, "/decided"), search: &search, lines, next })
}
