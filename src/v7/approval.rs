//! The rules between phases - no start and no completion without approval - and the trigger that
//! enforces them for every UPDATE of every role.

use pgrx::AllocatedByPostgres;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::open_tasks;
use super::phase::{APPROVER, Phase, Requirement, phases};
use super::sign_offs::{self, SignOff, Stage};
use crate::schema::lifecycle::misused;
use crate::server::arguments;
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::trigger_rows::Rows;

/// The columns that the rules of a phase look at.
const RULED: [&str; 5] =
    ["phase_number", "status", "approval_status", "approved_by", "approval_notes"];

/// How many open tasks a message names.
const NAMED_TASKS: usize = 5;

/// The requirements that a phase does not meet yet to be started.
pub fn requirements_to_start(
    phase: &Phase,
    previous: Option<&Phase>,
    missing: &[SignOff],
) -> Vec<Requirement> {
    let mut unmet = Vec::new();
    match previous {
        _ if phase.number == 1 => {}
        None => unmet.push(Requirement {
            what: format!("phase {}, which does not exist", phase.number - 1),
            command: "SELECT * FROM orchestrator.v7_load_plan();".to_owned(),
        }),
        Some(previous) => {
            unmet.extend(previous.missing_approval());
            if previous.status != "completed" {
                unmet.push(Requirement {
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
    unmet.extend(missing.iter().map(SignOff::requirement));
    unmet
}

/// The requirements that a phase does not meet yet to be completed.
pub fn requirements_to_complete(
    phase: &Phase,
    missing: &[SignOff],
    open_tasks: &[String],
) -> Vec<Requirement> {
    let mut unmet: Vec<Requirement> = phase.missing_approval().into_iter().collect();
    if !open_tasks.is_empty() {
        let named = open_tasks.iter().take(NAMED_TASKS).cloned().collect::<Vec<_>>().join(", ");
        let more = if open_tasks.len() > NAMED_TASKS { ", ..." } else { "" };
        unmet.push(Requirement {
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
    unmet.extend(missing.iter().map(SignOff::requirement));
    unmet
}

/// Refuses a step, with all missing requirements.
fn refuse_for(phase: &Phase, step: &str, unmet: &[Requirement]) -> Result<(), Error> {
    let Some(first) = unmet.first() else { return Ok(()) };
    let whats: Vec<_> = unmet.iter().map(|lack| lack.what.as_str()).collect();
    Err(Error::new(Kind::NotReady, format!("{} cannot {step}", phase.title()))
        .detail(format!("Missing: {}.", whats.join("; ")))
        .hint(format!("First: {}", first.command)))
}

/// BEFORE UPDATE row trigger of the phases, fired before `enforce_lifecycle`, so that a step out of
/// order is refused by its missing requirement: a phase starts only when the one before is completed and
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
    // The next call follows from the state that the phase has, not from the one that was asked for.
    let phase = Phase { status: old.status.clone(), ..new.clone() };
    refuse_for(&phase, in_words(&new.status), &requirements(&phase, &new)?)?;
    match new.status.as_str() {
        "in_progress" => end_approval(rows),
        "rolled_back" => {
            open_tasks::cancel(new.number, &format!("{} was rolled back", new.title()))?;
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

/// The step into a state, in words.
fn in_words(status: &str) -> &'static str {
    match status {
        "in_progress" => "start",
        "review" => "be reviewed",
        "approved" => "be approved",
        _ => "be completed",
    }
}

/// The requirements that `phase` does not meet yet to become `new`.
fn requirements(phase: &Phase, new: &Phase) -> Result<Vec<Requirement>, Error> {
    let number = new.number;
    let mut unmet = Vec::new();
    let starts = new.is_started() && !phase.is_started();
    if starts || new.status == "in_progress" {
        let missing = sign_offs::missing(number, Stage::Before)?;
        unmet.extend(requirements_to_start(phase, locked(number - 1)?.as_ref(), &missing));
    }
    if new.status == "approved" {
        unmet.extend(phase.missing_approval());
    }
    if new.status == "completed" {
        // A start that is missing as well has named what must be signed before.
        let mut missing =
            if starts { Vec::new() } else { sign_offs::missing(number, Stage::Before)? };
        missing.extend(sign_offs::missing(number, Stage::After)?);
        unmet.extend(requirements_to_complete(phase, &missing, &open_tasks::now(number)?));
    }
    Ok(unmet)
}

/// The phase in a row of the trigger. Where somebody dropped a NOT NULL, a null becomes an empty state
/// or number, which meets no rule; an update to a value is then judged as a first step.
fn phase_of(text: impl Fn(&str) -> Option<String>, number: impl Fn(&str) -> Option<i32>) -> Phase {
    Phase {
        number: number("phase_number").unwrap_or_default(),
        name: text("phase_name").unwrap_or_default(),
        status: text("status").unwrap_or_default(),
        approval_status: text("approval_status").unwrap_or_default(),
        approved_by: text("approved_by"),
    }
}

/// Checks that an approval is given in review, by a named person and in writing.
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
        let unmet: Vec<Requirement> = by_nobody.missing_approval().into_iter().collect();
        refuse_for(new, "be approved by nobody", &unmet)?;
        if notes.is_none_or(arguments::is_blank) {
            let lack = Requirement {
                what: "what was approved, in approval_notes".to_owned(),
                command: old.next_call(),
            };
            refuse_for(new, "be approved without a word", &[lack])?;
        }
    }
    Ok(())
}

/// Checks that an approval stays unchanged until the phase goes back to work or is rolled back.
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

/// Ends an approval, since renewed work needs a new one.
fn end_approval(rows: &mut Rows<'_>) {
    for (name, value) in [("approval_status", Some("pending")), ("approved_by", None)] {
        if let Some(column) = rows.column(name) {
            rows.set(column, value);
        }
    }
}

/// A phase, locked against changes until the transaction ends.
fn locked(number: i32) -> Result<Option<Phase>, Error> {
    static LOCK: Statement = Statement::new(
        "SELECT w.phase_number, w.phase_name, w.status, w.approval_status, w.approved_by \
         FROM orchestrator.v7_migration_workflow AS w WHERE w.phase_number = $1 FOR SHARE",
    );
    Ok(LOCK.update(&[number.into()], phases)?.into_iter().next())
}
