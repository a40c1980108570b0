//! The stream of announcements: an event for each change of a question.

use std::convert::Infallible;
use std::sync::Arc;

use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream;
use tokio::sync::broadcast::error::RecvError;

use crate::app::Visitor;
use crate::failure::Failure;

/// The stream ends when the connection to the database does; the page then connects again, and is told to sign in.
pub async fn events(Visitor(session): Visitor) -> Result<impl IntoResponse, Failure> {
    let permit = Arc::clone(&session.streams).try_acquire_owned().map_err(|_| {
        Failure::TooMany(
            "Too many pages of this session are open. This one changes when it is loaded again.",
        )
    })?;
    let announcements = session.connection.announcements();
    drop(session);
    let events =
        stream::unfold((announcements, permit), |(mut announcements, permit)| async move {
            match announcements.recv().await {
                // Who missed some reads the newest state as well.
                Ok(()) | Err(RecvError::Lagged(_)) => {
                    let event = Event::default().data("decisions");
                    Some((Ok::<_, Infallible>(event), (announcements, permit)))
                }
                Err(RecvError::Closed) => None,
            }
        });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}
