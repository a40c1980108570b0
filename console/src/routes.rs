//! The routes, and what every answer carries.

use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::app::{App, is_near};
use crate::failure::{Asked, Failure};
use crate::pages::{
    costs, decided, decision, health, inbox, live, migration, prompt, prompts, queue, run, runs,
    sign_in, workflow, workflows,
};
use crate::{Settings, addresses, assets};

/// The largest form, in bytes: a reason of many pages.
const LARGEST_FORM: usize = 1024 * 1024;

/// Longer than the time that a statement may take.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

/// Nothing is loaded from elsewhere, and no style or script stands in a page.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The console as a service.
pub fn router(settings: Settings) -> Result<Router> {
    let app = Arc::new(App::new(settings)?);
    tokio::spawn(end_idle_sessions(Arc::downgrade(&app)));
    let (of_refusals, of_pages) = (Arc::clone(&app), Arc::clone(&app));
    let header = |name: HeaderName, value| {
        SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
    };
    let mut routes = Router::new();
    if !app.settings.signs_nobody_in() {
        routes = routes
            .route("/sign-in", get(sign_in::page).post(sign_in::submit))
            .route("/sign-out", post(sign_in::leave));
    }
    Ok(routes
        .route("/", get(inbox::page))
        .route("/decisions/{id}", get(decision::page))
        .route("/decisions/{id}/{act}", post(decision::act))
        .route("/decided", get(decided::page))
        .route("/runs", get(runs::page))
        .route("/run", get(run::page))
        .route("/run/{act}", post(run::act))
        .route("/queue", get(queue::page))
        .route("/queue/{act}", post(queue::act))
        .route("/workflows", get(workflows::page))
        .route("/workflows/{act}", post(workflow::act))
        .route("/costs", get(costs::page))
        .route("/prompts", get(prompts::page))
        .route("/prompts/activate", post(prompt::activate))
        .route("/migration", get(migration::page))
        .route("/health", get(health::page))
        .route("/live", get(live::events))
        .route("/style.css", get(assets::style))
        .route("/live.js", get(assets::script))
        .fallback(|| async { Failure::NotFound("There is no such page.".to_owned()) })
        .with_state(app)
        .layer(middleware::from_fn_with_state(of_refusals, refuse_others))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST_ANSWER))
        .layer(middleware::from_fn_with_state(of_pages, with_a_page))
        .layer(header(CONTENT_SECURITY_POLICY, POLICY))
        .layer(header(X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(X_FRAME_OPTIONS, "DENY"))
        .layer(header(REFERRER_POLICY, "same-origin")))
}

/// Ends the connections of sessions that nobody uses, also while no request comes.
async fn end_idle_sessions(app: Weak<App>) {
    let mut looks = tokio::time::interval(Duration::from_secs(30));
    loop {
        looks.tick().await;
        let Some(app) = app.upgrade() else { return };
        app.sessions.end_idle();
    }
}

/// Every request that fails is answered with a page, also one that is refused before it reaches the console's own code.
async fn with_a_page(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let page = addresses::wanted(request.method(), request.uri(), request.headers());
    let asked = Asked { page, signs_in: !app.settings.signs_nobody_in() };
    let mut response = next.run(request).await;
    if let Some(failure) = response.extensions_mut().remove::<Arc<Failure>>() {
        return failure.page(&asked);
    }
    let status = response.status();
    let is_page = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_page || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    Failure::Refused(status).page(&asked)
}

/// A form that another site sends carries its origin. A console that signs nobody in answers only to names of this machine:
/// a page from elsewhere could give its own name the address of this machine.
async fn refuse_others(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if app.settings.signs_nobody_in() && !is_near(name) {
        return Failure::NotOurs.into_response();
    }
    let is_ours = |headers: &HeaderMap| match (headers.get(ORIGIN), headers.get(HOST)) {
        (Some(origin), Some(host)) => origin
            .to_str()
            .ok()
            .and_then(|origin| origin.split_once("://"))
            .is_some_and(|(_, origin)| origin.as_bytes() == host.as_bytes()),
        _ => true,
    };
    if request.method() == Method::POST && !is_ours(request.headers()) {
        return Failure::NotOurs.into_response();
    }
    next.run(request).await
}
