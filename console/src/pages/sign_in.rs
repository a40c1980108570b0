//! Signing in and out: the login of the database.

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::rendered;
use crate::addresses;
use crate::app::{self, App};
use crate::attempts::{self, Attempt};
use crate::failure::Failure;
use crate::forms::Act;
use crate::sessions::Session;

/// The longest name of a role, in bytes. The server would cut a longer one, and find another role.
const LONGEST_ROLE: usize = 63;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    role: &'a str,
    /// The page that the sign-in leads to.
    next: Option<&'a str>,
    problem: Option<&'a str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    next: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Login {
    role: String,
    password: String,
    next: String,
}

impl Login {
    /// Whether the login could be one. The protocol of the database ends a text with a NUL.
    fn is_possible(&self) -> bool {
        (1..=LONGEST_ROLE).contains(&self.role.len())
            && ![&self.role, &self.password].iter().any(|text| text.contains('\0'))
    }
}

pub async fn page(Query(asked): Query<Asked>) -> Result<Response, Failure> {
    rendered(&Page { role: "", next: addresses::page(&asked.next), problem: None })
}

pub async fn submit(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(login): Form<Login>,
) -> Result<Response, Failure> {
    const WRONG: &str = "The role or the password is wrong.";
    let next = addresses::page(&login.next);
    let again = |status, problem| {
        let page = rendered(&Page { role: &login.role, next, problem: Some(problem) })?;
        Ok((status, page).into_response())
    };
    if !login.is_possible() {
        return again(StatusCode::UNAUTHORIZED, WRONG);
    }
    let address = attempts::address(peer.ip(), &headers, &app.settings.trusted_proxy);
    let attempt = Attempt::new(address, &login.role);
    if !app.attempts.begin(&attempt) {
        let problem = "Too many attempts failed. Try again in a minute.";
        return again(StatusCode::TOO_MANY_REQUESTS, problem);
    }
    let connection = match app.connect(Some(&login.role), Some(&login.password)).await {
        // Whether the role exists is nobody's business.
        Err(error)
            if error.code().is_some_and(|code| ["28P01", "28000"].contains(&code.code())) =>
        {
            return again(StatusCode::UNAUTHORIZED, WRONG);
        }
        connected => {
            app.attempts.forget(&attempt);
            connected?
        }
    };
    if !connection.has_extension().await? {
        let problem = "The database does not have the extension orchestrator_schema.";
        return again(StatusCode::UNPROCESSABLE_ENTITY, problem);
    }
    // The browser forgets the key of the session before.
    if let Some(key) = app::key(&headers) {
        app.sessions.end(key);
    }
    let key = app.sessions.begin(Session::new(&login.role, connection));
    let cookie = [(SET_COOKIE, cookie(&app, &headers, &key))];
    Ok((cookie, Redirect::to(next.unwrap_or("/"))).into_response())
}

/// Ends the session. It asks the database nothing, so that a person can leave also while that is away.
pub async fn leave(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Form(form): Form<Act>,
) -> Result<Response, Failure> {
    if let Some(key) = app::key(&headers)
        && let Some(session) = app.sessions.look(key)
    {
        form.check(&session)?;
        app.sessions.end(key);
    }
    let gone = format!("{}; Max-Age=0", cookie(&app, &headers, ""));
    Ok(([(SET_COOKIE, gone)], Redirect::to("/sign-in")).into_response())
}

fn cookie(app: &App, headers: &HeaderMap, key: &str) -> String {
    let secure = if app.settings.behind_tls { "; Secure" } else { "" };
    let name = app::cookie_name(headers);
    format!("{name}={key}; Path=/; HttpOnly; SameSite=Strict{secure}")
}
