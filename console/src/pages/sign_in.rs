//! Signing in and out: the login of the database.

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{ConnectInfo, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::rendered;
use crate::app::{self, App, COOKIE_NAME, Visitor};
use crate::failure::Failure;
use crate::forms::Act;
use crate::sessions::Session;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    role: &'a str,
    problem: Option<String>,
}

#[derive(Deserialize)]
pub struct Login {
    role: String,
    password: String,
}

pub async fn page() -> Result<Response, Failure> {
    rendered(&Page { role: "", problem: None })
}

pub async fn submit(
    State(app): State<Arc<App>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Form(login): Form<Login>,
) -> Result<Response, Failure> {
    let again = |status, problem: String| {
        let page = rendered(&Page { role: &login.role, problem: Some(problem) })?;
        Ok((status, page).into_response())
    };
    if !app.sessions.may_try(address.ip()) {
        let problem = "Too many attempts failed. Try again in a minute.".to_owned();
        return again(StatusCode::TOO_MANY_REQUESTS, problem);
    }
    let database = match app.connect(Some(&login.role), Some(&login.password)).await {
        Ok(database) => database,
        Err(error) => {
            let code = error.code().map(|code| code.code().to_owned());
            return match code.as_deref() {
                // Whether the role exists is nobody's business.
                Some("28P01" | "28000") => {
                    app.sessions.has_failed(address.ip());
                    let problem = "The role or the password is wrong.".to_owned();
                    again(StatusCode::UNAUTHORIZED, problem)
                }
                _ => Err(error.into()),
            };
        }
    };
    let is_installed = database
        .row("SELECT FROM pg_extension WHERE extname = 'orchestrator_schema'", &[])
        .await?
        .is_some();
    if !is_installed {
        let problem = "The database does not have the extension orchestrator_schema.".to_owned();
        return again(StatusCode::UNPROCESSABLE_ENTITY, problem);
    }
    let key = app.sessions.begin(Session::new(&login.role, database));
    Ok(([(SET_COOKIE, cookie(&app, &key))], Redirect::to("/")).into_response())
}

pub async fn leave(
    State(app): State<Arc<App>>,
    Visitor(session): Visitor,
    headers: HeaderMap,
    Form(form): Form<Act>,
) -> Result<Response, Failure> {
    form.check(&session)?;
    if let Some(key) = app::key(&headers) {
        app.sessions.end(key);
    }
    let gone = format!("{}; Max-Age=0", cookie(&app, ""));
    Ok(([(SET_COOKIE, gone)], Redirect::to("/sign-in")).into_response())
}

fn cookie(app: &App, key: &str) -> String {
    let secure = if app.settings.behind_tls { "; Secure" } else { "" };
    format!("{COOKIE_NAME}={key}; Path=/; HttpOnly; SameSite=Strict{secure}")
}
