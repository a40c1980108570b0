//! The three kinds of questions, each with the functions that decide it.

use crate::decisions::question::Question;
use crate::decisions::{approvals, gates, reviews};
use crate::runs::Run;
use crate::server::error::Error;

/// Locks what is locked before the terms of a question: its run, or a gate without one itself, and the task of an
/// approval. Returns the run.
pub fn lock_before(question: &Question) -> Result<Option<Run>, Error> {
    match question.kind.as_str() {
        "review" => reviews::resolve::lock_run(question.id).map(Some),
        "gate" => gates::resolve::lock_run(question.id),
        _ => approvals::lock_run_and_task_of(question.id),
    }
}

/// Decides a question whose deadline has passed, as its terms say. `run`: what `lock_before` returned. Returns whether
/// the question was still open.
pub fn decide_at_deadline(
    question: &Question,
    run: Option<Run>,
    approves: bool,
    notes: &str,
) -> Result<bool, Error> {
    let id = question.id;
    match (question.kind.as_str(), run) {
        ("review", Some(run)) => reviews::resolve::decide_at_deadline(id, run, approves, notes),
        ("review", None) => Ok(false),
        ("gate", run) => gates::resolve::decide_at_deadline(id, run, approves, notes),
        (_, run) => {
            approvals::answer::decide_at_deadline(id, run, &question.subtype, approves, notes)
        }
    }
}
