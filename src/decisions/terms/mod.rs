//! The terms of a question: its rule, as it was when the question was asked. They say who may answer,
//! how many must agree, and until when. A question without a rule has no terms, unless somebody claims it or
//! it is assigned.
//!
//! The row of the terms is locked after the run and the task, and before the question is decided. Every vote,
//! claim and assignment writes it, so that a transaction that keeps its snapshot fails with 40001 instead of
//! deciding by an outdated number of votes.

mod asked;
mod guard;
mod row;
mod votes;

pub use guard::{deciding, refuse_unseen_terms};
pub use row::{HAS_NO_TERMS_AS, TIMEOUT, Terms, asked_as, caller, end_claim};
pub use votes::{CHANGES_REQUESTED, Outcome, Vote, was_cast};
