//! The inbox: every open question, the overdue ones first.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::{Frame, after, before, rendered};
use crate::app::Visitor;
use crate::database::{flag, number, optional, text};
use crate::failure::Failure;
use crate::forms::filled;

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    kind: String,
    project: String,
    mine: String,
    page: u32,
}

struct Card {
    id: String,
    kind: String,
    subject: String,
    asks: String,
    waiting: String,
    is_overdue: bool,
    assigned_to: Option<String>,
    claimed_by: Option<String>,
    votes: i64,
    votes_needed: i64,
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct Page<'a> {
    frame: Frame<'a>,
    filter: &'a Filter,
    cards: Vec<Card>,
    /// The number of open questions that fit the filter.
    open: i64,
    next: Option<u32>,
}

pub async fn page(
    Visitor(session): Visitor,
    Query(filter): Query<Filter>,
) -> Result<Response, Failure> {
    const CARDS: &str = include_str!("inbox.sql");
    const COUNT: &str = include_str!("inbox_count.sql");
    let role = session.role.as_str();
    let mine = (!filter.mine.is_empty()).then_some(role);
    let offset = before(filter.page).to_string();
    let (kind, project) = (filled(&filter.kind), filled(&filter.project));
    let rows = session.database.rows(CARDS, &[kind, project, mine, Some(&offset)]).await?;
    let open = session.database.row(COUNT, &[kind, project, mine]).await?;
    let cards: Vec<Card> = rows
        .iter()
        .map(|row| Card {
            id: text(row, "id"),
            kind: text(row, "kind"),
            subject: text(row, "subject"),
            asks: text(row, "asks"),
            waiting: text(row, "waiting"),
            is_overdue: flag(row, "overdue"),
            assigned_to: optional(row, "assigned_to"),
            claimed_by: optional(row, "claimed_by"),
            votes: number(row, "votes"),
            votes_needed: number(row, "votes_needed"),
        })
        .collect();
    let open = open.map(|row| number(&row, "open")).unwrap_or_default();
    let next = after(filter.page, cards.len());
    rendered(&Page { frame: Frame::of(&session, "/"), filter: &filter, cards, open, next })
}
