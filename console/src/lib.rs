//! The console of orchestrator_schema: pages on which people decide the questions of their agents.
//!
//! Whoever signs in gives a role and a password of the database, and the console works as that role: levels, four eyes and
//! the trail hold by themselves, and nothing runs with other rights. Pages are rendered on the server and work without a
//! script; a small script of ours replaces what changes.

mod addresses;
mod app;
mod assets;
mod attempts;
mod database;
mod directions;
mod failure;
mod forms;
mod pages;
mod routes;
mod sessions;
mod settings;

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::net::TcpListener;

pub use crate::routes::router;
pub use crate::settings::Settings;

/// Serves the console until the process is asked to end.
pub async fn serve(settings: Settings) -> Result<()> {
    let (listen, behind_tls) = (settings.listen, settings.behind_tls);
    ensure!(
        listen.ip().is_loopback() || !settings.signs_nobody_in(),
        "without a sign-in the console listens on a loopback address only, such as 127.0.0.1:8484"
    );
    let app = router(settings)?.into_make_service_with_connect_info::<SocketAddr>();
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr().context("the listener has no address")?;
    println!("The console:  http://{address}/");
    if !address.ip().is_loopback() && !behind_tls {
        eprintln!(
            "Warning: passwords cross the network unprotected. Put a proxy with TLS in front, and start with --behind-tls."
        );
    }
    let server = axum::serve(listener, app).with_graceful_shutdown(asked_to_end());
    // The streams of open pages do not end by themselves.
    let end = async {
        asked_to_end().await;
        tokio::time::sleep(LAST_ANSWERS).await;
    };
    tokio::select! {
        outcome = server.into_future() => outcome?,
        () = end => {}
    }
    Ok(())
}

/// The time for the answers that are on their way when the process is asked to end.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

async fn asked_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
