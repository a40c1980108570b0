//! The pages.

mod axis;
pub mod costs;
pub mod decided;
pub mod decision;
mod filter;
mod graph;
pub mod health;
pub mod inbox;
pub mod live;
mod live_prompts;
pub mod migration;
mod percent;
pub mod prompt;
pub mod prompts;
pub mod queue;
pub mod run;
mod run_course;
pub mod runs;
pub mod section;
pub mod sign_in;
mod timeline;
pub mod workflow;
pub mod workflows;

use askama::Template;
use axum::http::header::CACHE_CONTROL;
use axum::response::{Html, IntoResponse, Redirect, Response};

use crate::failure::Failure;
use crate::forms::Act;
use crate::sessions::{Session, Visit};

/// What stands around every page.
pub struct Frame<'a> {
    /// Who is signed in.
    pub role: &'a str,
    /// The token of every form.
    pub token: &'a str,
    /// Whether there is a sign-out.
    pub signed_in: bool,
    /// The path of the page in the menu.
    pub place: &'static str,
}

impl Frame<'_> {
    pub fn of<'a>(session: &'a Session, place: &'static str) -> Frame<'a> {
        Frame { role: &session.role, token: &session.token, signed_in: session.signed_in, place }
    }
}

/// The answer with a page.
pub fn rendered(page: &impl Template) -> Result<Response, Failure> {
    let text = page.render().map_err(Failure::Page)?;
    Ok(([(CACHE_CONTROL, "no-store")], Html(text)).into_response())
}

/// The lines of a list on one page, as in the statements.
pub const SHOWN: usize = 50;

/// The number of lines before a page, which is counted from 0.
pub fn before(page: u32) -> usize {
    page as usize * SHOWN
}

/// The page after one with this many lines; none after the last.
pub fn after(page: u32, lines: usize) -> Option<u32> {
    (lines == SHOWN).then(|| page + 1)
}

/// Does what a form of the session asks for, and leads to a page. `act`: the statement with its parameters; none if there
/// is no such act.
pub async fn done(
    session: &Visit,
    form: &Act,
    act: Option<(&str, Vec<Option<&str>>)>,
    place: &str,
) -> Result<Response, Failure> {
    form.check(session)?;
    let (sql, parameters) =
        act.ok_or_else(|| Failure::NotFound("There is no such act.".to_owned()))?;
    session.database.rows(sql, &parameters).await?;
    Ok(Redirect::to(place).into_response())
}
