//! The stream of announcements: an event for each change of a question.

use std::convert::Infallible;

use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream;
use tokio::sync::broadcast::error::RecvError;

use crate::app::Visitor;

/// The stream ends when the connection to the database does; the page then connects again, and is told to sign in.
pub async fn events(Visitor(session): Visitor) -> impl IntoResponse {
    let announcements = session.database.announcements();
    drop(session);
    let events = stream::unfold(announcements, |mut announcements| async move {
        match announcements.recv().await {
            // Who missed some reads the newest state as well.
            Ok(()) | Err(RecvError::Lagged(_)) => {
                let event = Event::default().data("decisions");
                Some((Ok::<_, Infallible>(event), announcements))
            }
            Err(RecvError::Closed) => None,
        }
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
