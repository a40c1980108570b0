//! Requests that fail, and the page that says why: the message of the database with its detail and hint.

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, REFRESH};
use axum::response::{Html, IntoResponse, Redirect, Response};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

use crate::addresses;

/// Why a request has no page.
pub enum Failure {
    /// Nobody is signed in.
    SignedOut,
    /// A page of another site leads here, so that the browser did not send the cookie.
    FromElsewhere,
    /// The database refuses, or cannot be reached.
    Database(Error),
    /// The connection of the session has ended.
    Disconnected,
    /// The statements before took so long that no other begins.
    TooLate,
    /// There are too many of something.
    TooMany(&'static str),
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

/// What a page about a failure knows of the request.
pub struct Asked {
    /// The page that is wanted.
    pub page: Option<String>,
    /// Whether the console signs people in.
    pub signs_in: bool,
}

/// The answer says why there is no page. `with_a_page` of the routes, which knows the request, writes the page.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Why something is not done: a message with its detail and hint, and its SQLSTATE if it is the database's.
#[derive(Default)]
pub struct Refusal {
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    pub code: Option<String>,
}

impl Refusal {
    /// A refusal of the console's own.
    pub fn new(message: &str, hint: Option<&str>) -> Refusal {
        let (message, hint) = (message.to_owned(), hint.map(str::to_owned));
        Refusal { message, hint, ..Refusal::default() }
    }
}

impl From<&DbError> for Refusal {
    fn from(error: &DbError) -> Refusal {
        Refusal {
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
            code: Some(error.code().code().to_owned()),
        }
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct Page<'a> {
    refusal: Refusal,
    /// The sign-in, if there is one, and whether it is what helps.
    sign_in: Option<&'a str>,
    is_signed_out: bool,
}

/// A page of our own that loads another one: then the request comes from here, and carries the cookie.
#[derive(Template)]
#[template(path = "again.html")]
struct Again<'a> {
    page: &'a str,
}

impl Failure {
    /// Whether a statement took too long, or did not begin because those before did.
    pub fn is_slowness(&self) -> bool {
        match self {
            Failure::TooLate => true,
            Failure::Database(error) => error.code() == Some(&SqlState::QUERY_CANCELED),
            _ => false,
        }
    }

    /// The page about the failure.
    pub fn page(&self, asked: &Asked) -> Response {
        let sign_in = asked.signs_in.then(|| addresses::sign_in(asked.page.as_deref()));
        let answer = |status, refusal| {
            render(status, &Page { refusal, sign_in: sign_in.as_deref(), is_signed_out: false })
        };
        let simple = |status, text: &str, hint| answer(status, Refusal::new(text, hint));
        match (self, asked.page.as_deref()) {
            (Failure::FromElsewhere, Some(page)) => render(StatusCode::OK, &Again { page }),
            (Failure::SignedOut | Failure::FromElsewhere, _) => {
                Redirect::to(sign_in.as_deref().unwrap_or("/")).into_response()
            }
            (Failure::Database(error), page) if is_for_a_moment(error) => {
                leading(refused(error, answer), page)
            }
            (Failure::Database(error), _) => refused(error, answer),
            (Failure::Disconnected, page) => disconnected(sign_in.as_deref(), page),
            (Failure::TooLate, _) => simple(
                StatusCode::SERVICE_UNAVAILABLE,
                "The page took too long.",
                Some("The database is busy. Load the page again later."),
            ),
            (Failure::TooMany(text), _) => simple(StatusCode::TOO_MANY_REQUESTS, text, None),
            (Failure::NotFound(text), _) => simple(StatusCode::NOT_FOUND, text, None),
            (Failure::NotOurs, _) => simple(
                StatusCode::FORBIDDEN,
                "The form is not from this session.",
                Some(
                    "Go back, load the page again, and send it once more. A proxy in front must pass the header Host on.",
                ),
            ),
            (Failure::Refused(status), _) => {
                let text = match *status {
                    StatusCode::SERVICE_UNAVAILABLE => "The page took too long.",
                    StatusCode::PAYLOAD_TOO_LARGE => "The form is too large.",
                    _ => "The request cannot be read.",
                };
                simple(*status, text, None)
            }
            (Failure::Page(error), _) => {
                eprintln!("a page could not be written: {error}");
                simple(StatusCode::INTERNAL_SERVER_ERROR, "The page could not be written.", None)
            }
        }
    }
}

/// The page leads by itself to where the person goes on: to the sign-in, or, if there is none, to the same page.
fn disconnected(sign_in: Option<&str>, page: Option<&str>) -> Response {
    let hint = match sign_in {
        Some(_) => "Sign in again once the database answers. The page for that comes by itself.",
        None => "The page comes again by itself, once the database answers.",
    };
    let refusal = Refusal::new("The database has ended the connection.", Some(hint));
    let response =
        render(StatusCode::SERVICE_UNAVAILABLE, &Page { refusal, sign_in, is_signed_out: true });
    leading(response, sign_in.or(page))
}

/// The response, which leads by itself to a page after a moment: to the inbox if there is none, because a form may not be
/// sent twice by itself.
fn leading(mut response: Response, page: Option<&str>) -> Response {
    if let Ok(value) = format!("5; url={}", page.unwrap_or("/")).parse() {
        response.headers_mut().insert(REFRESH, value);
    }
    response
}

/// Whether the server cannot be reached, or starts or stops.
fn is_for_a_moment(error: &Error) -> bool {
    error.as_db_error().is_none() || error.code() == Some(&SqlState::CANNOT_CONNECT_NOW)
}

fn refused(error: &Error, answer: impl Fn(StatusCode, Refusal) -> Response) -> Response {
    let Some(database) = error.as_db_error() else {
        let hint = Some("Try again once it runs. This page leads back by itself.");
        let refusal = Refusal::new("The database cannot be reached.", hint);
        let detail = Some(error.to_string());
        return answer(StatusCode::SERVICE_UNAVAILABLE, Refusal { detail, ..refusal });
    };
    let status = match database.code().code() {
        "42501" => StatusCode::FORBIDDEN,
        "P0002" => StatusCode::NOT_FOUND,
        "55000" | "40001" | "40P01" | "23505" => StatusCode::CONFLICT,
        "22003" | "22004" | "22021" | "22023" | "22P02" => StatusCode::UNPROCESSABLE_ENTITY,
        "57014" | "55P03" | "53300" | "57P03" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    answer(status, Refusal::from(database))
}

fn render(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => (status, [(CACHE_CONTROL, "no-store")], Html(text)).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
