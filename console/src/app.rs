//! The state of the console, and who asks.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT, COOKIE, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use tokio::sync::Mutex;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::Settings;
use crate::attempts::Attempts;
use crate::database::Connection;
use crate::failure::Failure;
use crate::sessions::{Session, Sessions, Visit};

/// The header of a request that the script makes by itself.
const LOADS_AGAIN: &str = "x-loads-again";

pub struct App {
    pub settings: Settings,
    pub sessions: Sessions,
    pub attempts: Attempts,
    config: Config,
    /// The session of a console that signs nobody in.
    local: Mutex<Option<Arc<Session>>>,
}

/// The connection to the database is not encrypted, so a password may not leave the machine.
fn refuse_far_hosts(config: &Config) -> Result<()> {
    let names = config.get_hosts().iter().filter_map(|host| match host {
        Host::Tcp(name) => Some(name.clone()),
        _ => None,
    });
    // An address comes before the name of the same host.
    for name in names.chain(config.get_hostaddrs().iter().map(IpAddr::to_string)) {
        ensure!(
            is_near(&name),
            "the database on {name} would receive passwords without TLS: use a socket, localhost, or a tunnel"
        );
    }
    Ok(())
}

/// Whether a host is this machine.
pub fn is_near(name: &str) -> bool {
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl App {
    /// Errors: the connection string cannot be read, or names a host to which a password may not be sent.
    pub fn new(settings: Settings) -> Result<App> {
        let config: Config = settings
            .database
            .parse()
            .context("the connection string of the database cannot be read")?;
        refuse_far_hosts(&config)?;
        let idle = Duration::from_secs(60 * settings.idle);
        let sessions = Sessions::new(idle, settings.sessions.into());
        let attempts = Attempts::default();
        Ok(App { settings, sessions, attempts, config, local: Mutex::default() })
    }

    /// Connects as a role; `None` is the one with the name of the user of this process.
    pub async fn connect(
        &self,
        role: Option<&str>,
        password: Option<&str>,
    ) -> Result<Connection, tokio_postgres::Error> {
        let mut config = self.config.clone();
        config.application_name("orchestrator-console");
        if let Some(role) = role {
            config.user(role);
        }
        config.connect_timeout(Duration::from_secs(5));
        if let Some(password) = password {
            config.password(password);
        }
        Connection::connect(&config).await
    }

    /// The session of a console that signs nobody in; its connection is made again when it has ended.
    async fn local_session(&self) -> Result<Arc<Session>, Failure> {
        let mut local = self.local.lock().await;
        match local.as_ref() {
            Some(session) if !session.connection.is_closed() => Ok(Arc::clone(session)),
            _ => {
                let connection = self.connect(self.settings.as_role.as_deref(), None).await?;
                let role = connection.role().await?;
                let session = Arc::new(Session::without_sign_in(&role, connection));
                *local = Some(Arc::clone(&session));
                Ok(session)
            }
        }
    }
}

/// The person who asks for a page.
pub struct Visitor(pub Visit);

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        if app.settings.signs_nobody_in() {
            return Ok(Visitor(Visit::new(app.local_session().await?)));
        }
        let Some(key) = key(&parts.headers) else {
            return Err(match is_led_from_elsewhere(parts) {
                true => Failure::FromElsewhere,
                false => Failure::SignedOut,
            });
        };
        let session = match is_of_script(&parts.headers) {
            true => app.sessions.look(key),
            false => app.sessions.find(key),
        };
        let session = session.ok_or(Failure::SignedOut)?;
        // The session stays until it is idle, so that whichever request of a page comes first, the page says why.
        if session.connection.is_closed() {
            return Err(Failure::Disconnected);
        }
        let visit = Visit::new(session);
        if !visit.database.may_log_in().await? {
            app.sessions.end(key);
            return Err(Failure::SignedOut);
        }
        Ok(Visitor(visit))
    }
}

/// Whether a page that is open asks by itself, for its content or for its stream: no sign of a person.
fn is_of_script(headers: &HeaderMap) -> bool {
    let is_stream = headers.get(ACCEPT).is_some_and(|kind| kind == "text/event-stream");
    is_stream || loads_again(headers)
}

/// Whether the script of an open page loads it again, of which it replaces only the parts that change.
pub fn loads_again(headers: &HeaderMap) -> bool {
    headers.contains_key(LOADS_AGAIN)
}

/// Whether a link of another site leads here: then the browser keeps back the cookie, also if the person is signed in.
fn is_led_from_elsewhere(parts: &Parts) -> bool {
    let site = parts.headers.get("sec-fetch-site");
    parts.method == Method::GET && site.is_some_and(|site| site == "cross-site")
}

/// The name of the cookie that holds the key of a session. A browser sends the cookies of a host to each of its ports, so
/// the name says the port by which the browser knows the console.
pub fn cookie_name(headers: &HeaderMap) -> String {
    const NAME: &str = "orchestrator_session";
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    match host.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok()) {
        Some(port) => format!("{NAME}_{port}"),
        None => NAME.to_owned(),
    }
}

/// The key of the session in the cookies of a request.
pub fn key(headers: &HeaderMap) -> Option<&str> {
    let name_here = cookie_name(headers);
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == name_here)
        .map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(database: &str) -> bool {
        refuse_far_hosts(&database.parse().expect("a connection string")).is_err()
    }

    #[test]
    fn no_password_leaves_the_machine() {
        for near in
            ["host=/run/postgresql", "host=localhost", "host=127.0.0.1", "host=::1", "dbname=x"]
        {
            assert!(!refused(near), "{near}");
        }
        for far in [
            "host=db.example.org",
            "host=10.0.0.1",
            "hostaddr=192.0.2.1",
            "host=localhost hostaddr=192.0.2.1",
            "host=localhost,db.example.org",
        ] {
            assert!(refused(far), "{far}");
        }
    }

    #[test]
    fn a_name_from_elsewhere_is_not_this_machine() {
        for near in ["localhost", "127.0.0.1", "[::1]"] {
            assert!(is_near(near), "{near}");
        }
        for far in ["evil.example", "192.0.2.1", "", "localhost.evil.example"] {
            assert!(!is_near(far), "{far}");
        }
    }
}
