//! Requests that fail, and the page that says why: the message of the database with its detail and hint.

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, REFRESH};
use axum::response::{Html, IntoResponse, Redirect, Response};
use tokio_postgres::Error;

/// Why a request has no page.
pub enum Failure {
    /// Nobody is signed in.
    SignedOut,
    /// The database refuses, or cannot be reached.
    Database(Error),
    /// The connection of the session has ended.
    Disconnected,
    /// There is no such thing.
    NotFound(String),
    /// The request is not one of our forms.
    NotOurs,
    /// The request cannot be read, or took too long.
    Refused(StatusCode),
    /// The page could not be written.
    Page(askama::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        if error.is_closed() { Failure::Disconnected } else { Failure::Database(error) }
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct Page<'a> {
    message: &'a str,
    detail: Option<&'a str>,
    hint: Option<&'a str>,
    code: Option<&'a str>,
    is_signed_out: bool,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let page = |status, message: &str, hint, is_signed_out| {
            render(status, &Page { message, detail: None, hint, code: None, is_signed_out })
        };
        match self {
            Failure::SignedOut => Redirect::to("/sign-in").into_response(),
            Failure::Database(error) => refused(&error),
            Failure::Disconnected => {
                let hint = Some(
                    "Sign in again once the database answers. The page for that comes by itself.",
                );
                let mut response = page(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The database has ended the connection.",
                    hint,
                    true,
                );
                if let Ok(value) = "5; url=/sign-in".parse() {
                    response.headers_mut().insert(REFRESH, value);
                }
                response
            }
            Failure::NotFound(message) => page(StatusCode::NOT_FOUND, &message, None, false),
            Failure::NotOurs => page(
                StatusCode::FORBIDDEN,
                "The form is not from this session.",
                Some(
                    "Go back, load the page again, and send it once more. A proxy in front must pass the header Host on.",
                ),
                false,
            ),
            Failure::Refused(status) => {
                let message = match status {
                    StatusCode::SERVICE_UNAVAILABLE => "The page took too long.",
                    StatusCode::PAYLOAD_TOO_LARGE => "The form is too large.",
                    _ => "The request cannot be read.",
                };
                page(status, message, None, false)
            }
            Failure::Page(error) => {
                eprintln!("a page could not be written: {error}");
                page(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "The page could not be written.",
                    None,
                    false,
                )
            }
        }
    }
}

fn refused(error: &Error) -> Response {
    let Some(database) = error.as_db_error() else {
        return render(
            StatusCode::SERVICE_UNAVAILABLE,
            &Page {
                message: "The database cannot be reached.",
                detail: Some(&error.to_string()),
                hint: Some("Try again once it runs."),
                code: None,
                is_signed_out: false,
            },
        );
    };
    let code = database.code().code();
    let status = match code {
        "42501" => StatusCode::FORBIDDEN,
        "P0002" => StatusCode::NOT_FOUND,
        "55000" | "40001" | "40P01" | "23505" => StatusCode::CONFLICT,
        "22003" | "22004" | "22021" | "22023" | "22P02" => StatusCode::UNPROCESSABLE_ENTITY,
        "57014" | "55P03" | "53300" | "57P03" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    render(
        status,
        &Page {
            message: database.message(),
            detail: database.detail(),
            hint: database.hint(),
            code: Some(code),
            is_signed_out: false,
        },
    )
}

fn render(status: StatusCode, page: &Page<'_>) -> Response {
    match page.render() {
        Ok(text) => (status, [(CACHE_CONTROL, "no-store")], Html(text)).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
