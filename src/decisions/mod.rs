//! Decisions by humans: gates, approvals, reviews, and one inbox over all three.

pub mod approvals;
pub mod gates;
pub mod inbox;
mod request_key;
pub mod reviews;
