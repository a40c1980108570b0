//! A phase of the migration: its state, its number, and the errors that are about it.

use crate::server::arguments;
use crate::server::error::{Error, Kind, required};
use crate::server::rows::{self, Row};
use crate::server::statements::Statement;

/// The approver of phases, by the approval chain of the migration.
pub const APPROVER: &str = "The Architect";

/// The last phase.
const LAST_PHASE: i32 = 7;

/// A phase, as far as the rules need it.
#[derive(Clone, Debug)]
pub struct Phase {
    pub number: i32,
    pub name: String,
    pub status: String,
    pub approval_status: String,
    pub approved_by: Option<String>,
}

impl Phase {
    /// Its name in messages.
    pub fn title(&self) -> String {
        format!("phase {} \"{}\"", self.number, self.name)
    }

    /// Whether it has been started and not rolled back since.
    pub fn is_started(&self) -> bool {
        ["in_progress", "review", "approved", "completed"].contains(&self.status.as_str())
    }

    /// The call that leads on from the state it is in.
    pub fn next_call(&self) -> String {
        let number = self.number;
        match self.status.as_str() {
            "not_started" | "blocked" => format!("SELECT orchestrator.v7_start_phase({number});"),
            "in_progress" => format!("SELECT orchestrator.v7_request_review({number}, '[...]');"),
            "review" => {
                format!("SELECT orchestrator.v7_approve_phase({number}, '{APPROVER}', '...');")
            }
            "approved" if self.is_approved() => {
                format!("SELECT orchestrator.v7_complete_phase({number});")
            }
            "completed" if self.is_approved() => match number {
                LAST_PHASE => "SELECT * FROM orchestrator.v7_migration_dashboard;".to_owned(),
                _ => format!("SELECT orchestrator.v7_start_phase({});", number + 1),
            },
            "approved" | "completed" => {
                format!("SELECT orchestrator.v7_roll_back_phase({number}, '...');")
            }
            _ => format!(
                "UPDATE orchestrator.v7_migration_workflow SET status = 'not_started' WHERE phase_number = {number};"
            ),
        }
    }

    /// Whether somebody approved it.
    pub fn is_approved(&self) -> bool {
        self.approval_status == "approved"
            && self.approved_by.as_deref().is_some_and(|by| !arguments::is_blank(by))
    }

    /// Its approval, unless somebody gave it.
    pub fn missing_approval(&self) -> Option<Requirement> {
        (!self.is_approved()).then(|| Requirement {
            what: format!("the approval of {}, by {APPROVER}", self.title()),
            command: self.next_call(),
        })
    }
}

/// A condition that must hold first, and the command that fulfils it.
#[derive(Debug)]
pub struct Requirement {
    pub what: String,
    pub command: String,
}

/// The number of a phase, 1 to 7.
///
/// Errors: 22004, P0002 any other number.
pub fn number(phase_number: Option<i32>) -> Result<i32, Error> {
    let number = required("phase_number", phase_number)?;
    if (1..=7).contains(&number) { Ok(number) } else { Err(unknown(number)) }
}

/// The error for a phase that does not exist.
pub fn unknown(number: i32) -> Error {
    Error::new(Kind::NotFound, format!("phase {number} does not exist")).hint(
        "There are phases 1 to 7; SELECT * FROM orchestrator.v7_load_plan() creates those that are missing.",
    )
}

/// Whether there is a phase of that number.
pub fn exists(number: i32) -> Result<bool, Error> {
    Ok(state(number)?.is_some())
}

/// The error for an update of a phase that returned no row: the phase does not exist, or an object of a
/// user hides it.
pub fn unknown_or_hidden(number: i32, step: &str) -> Result<Error, Error> {
    Ok(state(number)?.map_or_else(|| unknown(number), |(phase, _)| hidden(&phase, step)))
}

/// The error for a phase that can take a step, but whose update returned no row.
pub fn hidden(phase: &Phase, step: &str) -> Error {
    let message = format!("{} could not {step}", phase.title());
    Error::no_row(message, "v7_migration_workflow")
}

/// A phase, and when it started and was completed.
pub type State = (Phase, [Option<String>; 2]);

pub fn state(number: i32) -> Result<Option<State>, Error> {
    static STATE: Statement = Statement::new(
        "SELECT w.phase_number, w.phase_name, w.status, w.approval_status, w.approved_by, \
             w.started_at::text, w.completed_at::text \
         FROM orchestrator.v7_migration_workflow AS w WHERE w.phase_number = $1",
    );
    STATE.update(&[number.into()], |rows| {
        rows::first(rows, |row| {
            let started = rows::optional(row, 6, "v7_migration_workflow.started_at")?;
            let completed = rows::optional(row, 7, "v7_migration_workflow.completed_at")?;
            Ok((phase(row)?, [started, completed]))
        })
    })
}

/// The phases of a result with number, name, status, approval and approver.
pub fn phases(rows: pgrx::spi::SpiTupleTable<'_>) -> Result<Vec<Phase>, Error> {
    rows::each(rows, |row| phase(row))
}

/// The phase of a row with number, name, status, approval and approver.
pub fn phase(row: &impl Row) -> Result<Phase, Error> {
    Ok(Phase {
        number: rows::value(row, 1, "v7_migration_workflow.phase_number")?,
        name: rows::value(row, 2, "v7_migration_workflow.phase_name")?,
        status: rows::value(row, 3, "v7_migration_workflow.status")?,
        approval_status: rows::value(row, 4, "v7_migration_workflow.approval_status")?,
        approved_by: rows::optional(row, 5, "v7_migration_workflow.approved_by")?,
    })
}

/// Locks a phase for a new task, against other issuers, who would take the same number, and against the
/// end of the phase. It writes the row: a transaction with an older snapshot that looks for open tasks
/// then gets 40001 instead of overlooking this one.
///
/// Errors: P0002 no such phase, 55000 it is over.
pub fn lock_for_task(number: i32) -> Result<(), Error> {
    static WRITE: Statement = Statement::new(
        "UPDATE orchestrator.v7_migration_workflow AS w SET status = w.status \
         WHERE w.phase_number = $1 RETURNING w.status",
    );
    let written = WRITE.update(&[number.into()], |rows| {
        rows::one::<String>(rows, "v7_migration_workflow.status")
    })?;
    let Some(status) = written else {
        return Err(unknown_or_hidden(number, "take a task")?);
    };
    if is_over(&status) {
        return Err(Error::new(
            Kind::NotReady,
            format!("phase {number} is {status} and takes no new task"),
        )
        .hint("Issue it in a phase that is not over."));
    }
    Ok(())
}

/// Whether a phase in that state takes no task any more.
pub fn is_over(status: &str) -> bool {
    ["completed", "rolled_back"].contains(&status)
}
