//! Budgets in USD, each for a scope and a period, and the windows in which they count.
//!
//! Every function that asks or charges budgets locks their windows first, in the order of budget and beginning, and then
//! reads and writes: no two callers wait for each other in a circle, and none sees a sum that another one is about to
//! change. Nothing stays locked while a model works.

pub mod charge;
pub mod raise;
mod set;
pub mod settle;
mod spend;
pub mod windows;

use pgrx::Uuid;
use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;

pub use crate::agents::amounts::usd;
use crate::runs::Run;
use crate::server::error::{Error, Kind};
use crate::server::statements::{self, Statement};
use crate::server::{arguments, relations};

/// The periods of a budget. A week begins on Monday; all begin at midnight UTC.
pub const PERIODS: [&str; 4] = ["day", "week", "month", "total"];

/// The calls that budgets are about, or the call that is about to be made.
pub struct Scope<'a> {
    pub project_id: Option<Uuid>,
    pub agent_id: Option<&'a str>,
    pub thread_id: Option<&'a str>,
    pub subject: Option<&'a str>,
}

impl<'a> Scope<'a> {
    /// The scope in the arguments.
    ///
    /// Errors: 22023 a blank or overlong name.
    pub fn of(
        project_id: Option<Uuid>,
        agent_id: Option<&'a str>,
        thread_id: Option<&'a str>,
        subject: Option<&'a str>,
    ) -> Result<Self, Error> {
        Ok(Scope {
            project_id,
            agent_id: arguments::trimmed("agent_id", agent_id)?,
            thread_id: thread_id
                .map(|thread| arguments::filled("thread_id", Some(thread)))
                .transpose()?,
            subject: arguments::trimmed("subject", subject)?,
        })
    }

    /// Adds the project of the run, if a call names none: whoever leaves it out passes no budget of the project.
    pub fn complete(&mut self, run: Option<&Run>) -> Result<(), Error> {
        static PROJECT: Statement = Statement::new(
            "SELECT r.project_id FROM orchestrator.orchestrator_runs AS r WHERE r.id = $1",
        );
        if let Some(run) = run.filter(|_| self.project_id.is_none()) {
            self.project_id = PROJECT.update(&[run.id.into()], statements::one::<Uuid>)?;
        }
        Ok(())
    }

    /// The parameters $1 to $4 of the statements.
    pub fn parameters(&self) -> [DatumWithOid<'a>; 4] {
        [self.project_id.into(), self.agent_id.into(), self.thread_id.into(), self.subject.into()]
    }
}

/// Whether there can be budgets: most databases have none, and a call costs nothing more then. Versions before 0.9.2 have
/// no table for them.
pub fn exist() -> bool {
    relations::identifier_of(c"budgets") != pg_sys::InvalidOid
        && !relations::has_no_blocks(c"budgets")
}

/// Those of these questions that are about windows, in the order in which windows are locked.
pub fn about_windows(questions: Vec<Uuid>) -> Result<Vec<Uuid>, Error> {
    static ORDER: Statement = Statement::new(
        "SELECT w.review_id FROM orchestrator.budget_windows AS w WHERE w.review_id = ANY ($1) ORDER BY w.budget_id, w.starts_at",
    );
    if questions.is_empty() || !exist() {
        return Ok(Vec::new());
    }
    ORDER.update(&[questions.into()], statements::column::<Uuid>)
}

/// A transaction that keeps its snapshot met a newer row.
fn overtaken(message: &str) -> Error {
    Error::new(Kind::Serialization, format!("{message} since this one began to read"))
        .hint("Roll back and try again.")
}
