//! The agent types with the versions of their prompts that are live.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;

use super::live_prompts::{Line, lines};
use super::prompt::{self, Asked};
use super::{Frame, after, before, rendered};
use crate::app::Visitor;
use crate::failure::Failure;
use crate::forms::filled;

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
    let offset = before(asked.page);
    let lines = lines(&session.database, filled(&asked.words), None, offset).await?;
    let next = after(asked.page, lines.len());
    rendered(&Page { frame: Frame::of(&session, "/prompts"), asked: &asked, lines, next })
}
