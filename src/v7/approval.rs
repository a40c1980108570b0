//! Nothing starts without approval, and nothing completes without it: the rules between phases,
//! and the trigger that holds them against every UPDATE, whoever makes it.

use pgrx::AllocatedByPostgres;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::sign_offs::{self, SignOff, Stage};
use crate::schema::lifecycle::misused;
use crate::server::error::{Error, Kind};
use crate::server::rows::{self, Row};
use crate::server::statements::Statement;
use crate::server::trigger_rows::Rows;
use crate::server::{arguments, statements};

/// Who approves phases, by the approval chain of the migration.
pub const APPROVER: &str = "The Architect";

/// The phase that no other follows.
const LAST_PHASE: i32 = 7;

/// The columns that the rules of a phase look at.
const RULED: [&str; 5] =
    ["phase_number", "status", "approval_status", "approved_by", "approval_notes"];

/// How many open tasks a message names.
const NAMED_TASKS: usize = 5;

/// A phase as the rules see it.
#[derive(Clone, Debug)]
pub struct Phase {
    pub number: i32,
    pub name: String,
    pub status: String,
    pub approval_status: String,
    pub approved_by: Option<String>,
}

impl Phase {
    /// How messages call it.
    pub fn title(&self) -> String {
        format!("phase {} \"{}\"", self.number, self.name)
    }

    /// Whether it has been started, and not given up since.
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
    fn is_approved(&self) -> bool {
        self.approval_status == "approved"
            && self.approved_by.as_deref().is_some_and(|by| !arguments::is_blank(by))
    }

    /// Who has to approve it, when nobody did.
    fn missing_approval(&self) -> Option<Lack> {
        (!self.is_approved()).then(|| Lack {
            what: format!("the approval of {}, by {APPROVER}", self.title()),
            command: self.next_call(),
        })
    }
}

/// Something that must be there first, and the command that brings it.
#[derive(Debug)]
pub struct Lack {
    pub what: String,
    pub command: String,
}

impl From<&SignOff> for Lack {
    fn from(item: &SignOff) -> Self {
        Lack { what: item.in_words(), command: item.command() }
    }
}

/// What a phase lacks to be started.
pub fn lacks_to_start(phase: &Phase, previous: Option<&Phase>, missing: &[SignOff]) -> Vec<Lack> {
    let mut lacks = Vec::new();
    match previous {
        _ if phase.number == 1 => {}
        None => lacks.push(Lack {
            what: format!("phase {}, which does not exist", phase.number - 1),
            command: "SELECT * FROM orchestrator.v7_load_plan();".to_owned(),
        }),
        Some(previous) => {
            lacks.extend(previous.missing_approval());
            if previous.status != "completed" {
                lacks.push(Lack {
                    what: format!(
                        "the completion of {}, which is {}",
                        previous.title(),
                        previous.status
                    ),
                    command: format!("SELECT orchestrator.v7_complete_phase({});", previous.number),
                });
            }
        }
    }
    lacks.extend(missing.iter().map(Lack::from));
    lacks
}

/// What a phase lacks to be completed.
pub fn lacks_to_complete(phase: &Phase, missing: &[SignOff], open_tasks: &[String]) -> Vec<Lack> {
    let mut lacks: Vec<Lack> = phase.missing_approval().into_iter().collect();
    if !open_tasks.is_empty() {
        let named = open_tasks.iter().take(NAMED_TASKS).cloned().collect::<Vec<_>>().join(", ");
        let more = if open_tasks.len() > NAMED_TASKS { ", ..." } else { "" };
        lacks.push(Lack {
            what: format!(
                "the end of {}: {named}{more}",
                arguments::counted(open_tasks.len() as i64, "open task")
            ),
            command: format!(
                "SELECT task_number, task_name, status, responsible_persona FROM orchestrator.v7_subworkflow_tasks WHERE parent_phase = {} AND status NOT IN ('completed', 'cancelled');",
                phase.number
            ),
        });
    }
    lacks.extend(missing.iter().map(Lack::from));
    lacks
}

/// Refuses a step for what is missing.
fn refuse_for(phase: &Phase, step: &str, lacks: &[Lack]) -> Result<(), Error> {
    let Some(first) = lacks.first() else { return Ok(()) };
    let whats: Vec<_> = lacks.iter().map(|lack| lack.what.as_str()).collect();
    Err(Error::new(Kind::NotReady, format!("{} cannot {step}", phase.title()))
        .detail(format!("Missing: {}.", whats.join("; ")))
        .hint(format!("First: {}", first.command)))
}

/// BEFORE UPDATE row trigger of the phases, fired before `enforce_lifecycle`, so that a step out of
/// order is refused for what it lacks: a phase starts only when the one before is completed and
/// approved and no sign-off is missing; it is approved only in review and by somebody; it completes
/// only when approved, with no open task and no missing sign-off; rolling it back cancels its open
/// tasks, and ends its approval.
///
/// Errors: 55000 what is missing, and from whom. Since 0.4.3.
#[pg_trigger(sql = false)]
fn v7_enforce_approval<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let Some(mut rows) = Rows::of(trigger) else {
        misused("v7_enforce_approval", "it must be fired BEFORE UPDATE, FOR EACH ROW");
    };
    if let Err(error) = enforce(&mut rows) {
        ErrorReport::from(error).report(PgLogLevel::ERROR);
    }
    Ok(Some(rows.into_row()))
}

fn enforce(rows: &mut Rows<'_>) -> Result<(), Error> {
    let unchanged = |name: &&str| rows.column(name).is_some_and(|at| rows.stored_alike(at));
    // The last one first: rows that are stored alike up to its column are so in those before it.
    if RULED.iter().rev().all(unchanged) {
        return Ok(());
    }
    let old = phase_of(
        |name| rows.column(name).and_then(|at| rows.before(at)),
        |name| rows.column(name).and_then(|at| rows.before(at)),
    );
    let new = phase_of(
        |name| rows.column(name).and_then(|at| rows.after(at)),
        |name| rows.column(name).and_then(|at| rows.after(at)),
    );
    if new.number != old.number {
        return Err(Error::new(
            Kind::NotReady,
            format!("the number of {} cannot be changed", old.title()),
        )
        .hint("Tasks, sign-offs and the order of approvals hang on it."));
    }
    let notes = rows.column("approval_notes");
    let [old_notes, new_notes] = [
        notes.and_then(|column| rows.before::<String>(column)),
        notes.and_then(|column| rows.after::<String>(column)),
    ];
    approved_properly(&old, &new, new_notes.as_deref())?;
    not_rewritten(&old, &new, old_notes.as_deref(), new_notes.as_deref())?;
    if new.status == old.status {
        return Ok(());
    }
    // For the next call it counts where the phase stands, not where it was to go.
    let phase = Phase { status: old.status.clone(), ..new.clone() };
    refuse_for(&phase, in_words(&new.status), &lacks(&phase, &new)?)?;
    match new.status.as_str() {
        "in_progress" => end_approval(rows),
        "rolled_back" => {
            cancel_open_tasks(new.number, &format!("{} was rolled back", new.title()))?;
            end_approval(rows);
        }
        "not_started" => {
            end_approval(rows);
            for column in ["started_at", "completed_at"] {
                if let Some(column) = rows.column(column) {
                    rows.set(column, None::<i64>);
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// What messages call the step into a state.
fn in_words(status: &str) -> &'static str {
    match status {
        "in_progress" => "start",
        "review" => "be reviewed",
        "approved" => "be approved",
        _ => "be completed",
    }
}

/// What `phase` lacks to become `new`.
fn lacks(phase: &Phase, new: &Phase) -> Result<Vec<Lack>, Error> {
    let number = new.number;
    let mut lacks = Vec::new();
    let starts = new.is_started() && !phase.is_started();
    if starts || new.status == "in_progress" {
        let missing = sign_offs::missing(number, Stage::Before)?;
        lacks.extend(lacks_to_start(phase, locked(number - 1)?.as_ref(), &missing));
    }
    if new.status == "approved" {
        lacks.extend(phase.missing_approval());
    }
    if new.status == "completed" {
        // A start that is missing as well has named what must be signed before.
        let mut missing =
            if starts { Vec::new() } else { sign_offs::missing(number, Stage::Before)? };
        missing.extend(sign_offs::missing(number, Stage::After)?);
        lacks.extend(lacks_to_complete(phase, &missing, &open_tasks(number)?));
    }
    Ok(lacks)
}

/// The phase in a row of the trigger. Where somebody dropped a NOT NULL, a null is no state and no
/// number: no rule is met by it, and an update that gives a value again is judged as one from the
/// beginning.
fn phase_of(text: impl Fn(&str) -> Option<String>, number: impl Fn(&str) -> Option<i32>) -> Phase {
    Phase {
        number: number("phase_number").unwrap_or_default(),
        name: text("phase_name").unwrap_or_default(),
        status: text("status").unwrap_or_default(),
        approval_status: text("approval_status").unwrap_or_default(),
        approved_by: text("approved_by"),
    }
}

/// An approval is given in review, by somebody and in writing.
fn approved_properly(old: &Phase, new: &Phase, notes: Option<&str>) -> Result<(), Error> {
    if new.approval_status == "approved" && old.approval_status != "approved" {
        let in_review = |phase: &Phase| ["review", "approved"].contains(&phase.status.as_str());
        if !in_review(old) || !in_review(new) {
            return Err(Error::new(
                Kind::NotReady,
                format!("{} cannot be approved while it is {}", new.title(), old.status),
            )
            .detail(format!("A phase is approved in review, by {APPROVER}, on what it delivered."))
            .hint(format!("First: {}", old.next_call())));
        }
        let by_nobody = Phase { status: old.status.clone(), ..new.clone() };
        let lacks: Vec<Lack> = by_nobody.missing_approval().into_iter().collect();
        refuse_for(new, "be approved by nobody", &lacks)?;
        if notes.is_none_or(arguments::is_blank) {
            let lack = Lack {
                what: "what was approved, in approval_notes".to_owned(),
                command: old.next_call(),
            };
            refuse_for(new, "be approved without a word", &[lack])?;
        }
    }
    Ok(())
}

/// An approval that was given stays as it was given, until the phase goes back to work or is rolled
/// back.
fn not_rewritten(
    old: &Phase,
    new: &Phase,
    old_notes: Option<&str>,
    new_notes: Option<&str>,
) -> Result<(), Error> {
    let holds = ["review", "approved", "completed"].contains(&new.status.as_str());
    let silenced =
        new_notes.is_none_or(arguments::is_blank) && !old_notes.is_none_or(arguments::is_blank);
    let approval = |phase: &Phase| (phase.approval_status.clone(), phase.approved_by.clone());
    if holds && old.is_approved() && (approval(new) != approval(old) || silenced) {
        return Err(Error::new(
            Kind::NotReady,
            format!("the approval of {} cannot be rewritten", new.title()),
        )
        .detail(format!("It was given by {}.", old.approved_by.as_deref().unwrap_or_default()))
        .hint(format!(
            "To approve it anew, roll it back: SELECT orchestrator.v7_roll_back_phase({}, '...');",
            new.number
        )));
    }
    Ok(())
}

/// Whatever approval there was ends: what is worked on again is approved again.
fn end_approval(rows: &mut Rows<'_>) {
    for (name, value) in [("approval_status", Some("pending")), ("approved_by", None)] {
        if let Some(column) = rows.column(name) {
            rows.set(column, value);
        }
    }
}

/// A phase, kept from changing until the transaction ends.
fn locked(number: i32) -> Result<Option<Phase>, Error> {
    static LOCK: Statement = Statement::new(
        "SELECT w.phase_number, w.phase_name, w.status, w.approval_status, w.approved_by \
         FROM orchestrator.v7_migration_workflow AS w WHERE w.phase_number = $1 FOR SHARE",
    );
    Ok(LOCK.update(&[number.into()], phases)?.into_iter().next())
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

/// The tasks of a phase that are neither completed nor cancelled, as messages call them.
fn open_tasks(number: i32) -> Result<Vec<String>, Error> {
    static OPEN: Statement = Statement::new(
        "SELECT format('%s \"%s\" (%s, %s)', t.task_number, t.task_name, t.status, t.responsible_persona) \
         FROM orchestrator.v7_subworkflow_tasks AS t \
         WHERE t.parent_phase = $1 AND t.status NOT IN ('completed', 'cancelled') ORDER BY t.task_number",
    );
    OPEN.update(&[number.into()], statements::column::<String>)
}

/// Cancels the open tasks of a phase, noting why on each. One in review goes back to work first:
/// that is the only way its state machine knows.
pub fn cancel_open_tasks(number: i32, reason: &str) -> Result<(), Error> {
    static REOPEN: Statement = Statement::new(
        "UPDATE orchestrator.v7_subworkflow_tasks AS t SET status = 'in_progress' \
         WHERE t.parent_phase = $1 AND t.status = 'review'",
    );
    static CANCEL: Statement = Statement::new(
        "UPDATE orchestrator.v7_subworkflow_tasks AS t \
         SET status = 'cancelled', notes = concat_ws(E'\\n', nullif(t.notes, ''), $2) \
         WHERE t.parent_phase = $1 AND t.status NOT IN ('completed', 'cancelled')",
    );
    REOPEN.update(&[number.into()], |_| Ok(()))?;
    CANCEL.update(&[number.into(), reason.into()], |_| Ok(()))
}
