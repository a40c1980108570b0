//! The pages.

pub mod costs;
pub mod decided;
pub mod decision;
mod graph;
pub mod health;
pub mod inbox;
pub mod live;
pub mod migration;
pub mod prompt;
pub mod prompts;
pub mod queue;
pub mod run;
pub mod runs;
pub mod section;
pub mod sign_in;
pub mod workflow;
pub mod workflows;

use askama::Template;
use axum::http::header::CACHE_CONTROL;
use axum::response::{Html, IntoResponse, Response};

use crate::failure::Failure;
use crate::sessions::Session;

/// What stands around every page.
pub struct Frame<'a> {
    /// Who is signed in.
    pub role: &'a str,
    /// The token of every form.
    pub token: &'a str,
    /// The path of the page in the menu.
    pub place: &'static str,
}

impl Frame<'_> {
    pub fn of<'a>(session: &'a Session, place: &'static str) -> Frame<'a> {
        Frame { role: &session.role, token: &session.token, place }
    }
}

/// The answer with a page.
pub fn rendered(page: &impl Template) -> Result<Response, Failure> {
    let text = page.render().map_err(Failure::Page)?;
    Ok(([(CACHE_CONTROL, "no-store")], Html(text)).into_response())
}
