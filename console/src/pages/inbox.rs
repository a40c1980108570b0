//! The inbox: every open question, the overdue ones first.

use askama::Template;
use axum::extract::Query;
use axum::http::HeaderMap;
use axum::response::Response;

use super::filter::{Filter, Pages};
use super::{Frame, rendered};
use crate::app::{self, Visitor};
use crate::database::{flag, number, optional, text};
use crate::failure::Failure;

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
    /// The roles that are asked; none in a page that is loaded again.
    roles: Vec<String>,
    cards: Vec<Card>,
    /// The number of open questions that fit the filter.
    open: i64,
    pages: Pages,
}

pub async fn page(
    Visitor(session): Visitor,
    Query(filter): Query<Filter>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    const CARDS: &str = include_str!("inbox.sql");
    const COUNT: &str = include_str!("inbox_count.sql");
    const ROLES: &str = include_str!("inbox_roles.sql");
    let mine = (!filter.mine.is_empty()).then_some(session.role.as_str());
    let fits = [filter.kind(), filter.project(), mine, filter.role()];
    let offset = filter.before().to_string();
    let open = session.database.row(COUNT, &fits).await?;
    let open = open.map(|row| number(&row, "open")).unwrap_or_default();
    // The suggestions stand beside the filter, which stays as it is.
    let roles = match app::loads_again(&headers) {
        true => Vec::new(),
        false => session.database.lines(ROLES, &[], |row| text(row, "role")).await?,
    };
    let parameters = [&fits[..], &[Some(&offset)]].concat();
    let cards = session
        .database
        .lines(CARDS, &parameters, |row| Card {
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
        .await?;
    rendered(&Page {
        frame: Frame::of(&session, "/"),
        filter: &filter,
        roles,
        cards,
        open,
        pages: filter.pages(open),
    })
}
