//! Decisions by humans: gates, approvals, reviews, one inbox over all three, and the rules by which they are
//! decided.

mod announcements;
pub mod approvals;
mod budgets;
pub mod expire;
pub mod gates;
mod handling;
pub mod inbox;
mod kinds;
mod question;
mod request_key;
pub mod reviews;
pub mod rules;
mod terms;
mod withdraw;
