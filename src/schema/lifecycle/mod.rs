//! State machines, enforced on every UPDATE of every role, and the upkeep of `updated_at`.

mod diagram;
mod immutable;
mod machine;
mod machines;

use std::cell::Cell;

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, PgSqlErrorCode};

use crate::server::error::{Error, Kind, required};
use crate::server::statements::Statement;
use crate::server::time::{Time, transaction_time};
use crate::server::trigger_rows::{ColumnHint, Rows};
use crate::server::{scoped, statements, trigger_depth};
pub use diagram::diagram;
use machine::{Machine, Stamp, State};
use machines::MACHINES;

/// The steps that a state machine allows.
///
/// `machine`: task, workflow, tool_execution, session, gate, approval, review, run_phase,
/// run_gate, v7_phase, v7_file, v7_enum, v7_task or v7_impact.
/// Errors: 22004, 22023 no such machine. Since 0.1.6.
#[pg_extern(sql = false, immutable, parallel_safe)]
fn allowed_transitions(
    machine: Option<&str>,
) -> Result<
    TableIterator<'static, (name!(from_status, String), name!(to_status, String))>,
    ErrorReport,
> {
    let name = required("machine", machine)?;
    let machine = machines::machine(name).ok_or_else(|| {
        Error::new(Kind::InvalidValue, format!("state machine \"{name}\" does not exist"))
            .hint(format!("State machines: {}.", machine_names()))
    })?;
    Ok(TableIterator::new(machine.states.iter().flat_map(|state| {
        state.next.iter().map(|next| (state.name.to_owned(), (*next).to_owned()))
    })))
}

/// The state of a machine, by their names.
pub fn state(machine: &str, state: &str) -> Option<&'static State> {
    machines::machine(machine).and_then(|machine| machine.state(state))
}

/// The states of a machine from which a step leads to `to`.
pub fn leading_to(machine: &str, to: &str) -> Vec<&'static str> {
    let states = machines::machine(machine).map_or(&[][..], |machine| machine.states);
    states.iter().filter(|state| state.next.contains(&to)).map(|state| state.name).collect()
}

/// The states of a machine, in its order.
pub fn states(machine: &str) -> Vec<&'static str> {
    let states = machines::machine(machine).map_or(&[][..], |machine| machine.states);
    states.iter().map(|state| state.name).collect()
}

/// The states of a machine that nothing follows.
pub fn ends(machine: &str) -> Vec<&'static str> {
    let states = machines::machine(machine).map_or(&[][..], |machine| machine.states);
    states.iter().filter(|state| state.next.is_empty()).map(|state| state.name).collect()
}

/// The states of a machine that are not end states.
pub fn open_states(machine: &str) -> Vec<&'static str> {
    let states = machines::machine(machine).map_or(&[][..], |machine| machine.states);
    states.iter().filter(|state| !state.next.is_empty()).map(|state| state.name).collect()
}

/// The states of a machine in which the work is not over: entering them does not write the time of the
/// end.
pub fn unfinished(machine: &str) -> Vec<&'static str> {
    let states = machines::machine(machine).map_or(&[][..], |machine| machine.states);
    states.iter().filter(|state| !state.is_over()).map(|state| state.name).collect()
}

/// The names of all state machines, for a message.
pub fn machine_names() -> String {
    let names: Vec<_> = MACHINES.iter().map(|machine| machine.name).collect();
    names.join(", ")
}

/// BEFORE UPDATE row trigger `enforce_lifecycle(machine, column [, machine, column ...])`: refuses a
/// step that a machine does not list, writes the times of the state that is entered, and sets
/// `updated_at`, if the table has it, to the transaction's time.
///
/// Errors: 55000 a step that is not allowed, an edit of a row that is resolved, or a column of a
/// type that cannot hold a state or a time. Since 0.1.6.
#[pg_trigger(sql = false)]
fn enforce_lifecycle<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    static STATES: [ColumnHint; 2] = [const { ColumnHint::unknown() }; 2];
    static UPDATED_AT: ColumnHint = ColumnHint::unknown();
    let Some(mut rows) = Rows::of(trigger) else {
        misused("enforce_lifecycle", "it must be fired BEFORE UPDATE, FOR EACH ROW");
    };
    // The last pair first: if both rows have the same bytes up to its column, the columns before it
    // need no comparison.
    let mut arguments = rows.arguments().rev();
    let mut states = STATES.iter().cycle();
    while let (Some(column), Some(hint)) = (arguments.next(), states.next()) {
        let machine = arguments.next().and_then(|name| machines::machine(name.to_bytes()));
        let column = rows.column_near(hint, column.to_bytes());
        let (Some(machine), Some(column)) = (machine, column) else {
            misused("enforce_lifecycle", "its arguments are pairs of a state machine and a column");
        };
        if let Err(error) = step(machine, column, &mut rows) {
            ErrorReport::from(error).report(PgLogLevel::ERROR);
        }
    }
    if let Some(column) = rows.column_near(&UPDATED_AT, b"updated_at") {
        rows.set(column, Some(transaction_time()));
    }
    Ok(Some(rows.into_row()))
}

/// Raises an error about a trigger of ours that was created in a wrong form.
pub fn misused(function: &str, rule: &str) -> ! {
    ErrorReport::new(
        PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
        format!("trigger function orchestrator.{function} is misused: {rule}"),
        "",
    )
    .report(PgLogLevel::ERROR);
    unreachable!("an error report does not return")
}

/// Checks one machine's step and writes the values of the state that is entered.
fn step(machine: &Machine, column: i32, rows: &mut Rows<'_>) -> Result<(), Error> {
    // Most updates do not change the state, and comparing bytes is the cheapest way to see that.
    if !machine.sealed && rows.stored_alike(column) {
        return Ok(());
    }
    let (Some(from), Some(to)) = (rows.before::<&str>(column), rows.after::<&str>(column)) else {
        return Ok(());
    };
    let from_state = machine.state(from);
    if from == to {
        let ended = from_state.is_some_and(|state| state.next.is_empty());
        if machine.sealed && ended && rows.differs() && !follows(machine, rows)? {
            return Err(sealed(rows, from));
        }
        return Ok(());
    }
    // The column's CHECK refuses a state that the machine does not list.
    let (Some(from_state), Some(to_state)) = (from_state, machine.state(to)) else {
        return Ok(());
    };
    if !from_state.allows(to) && !is_step_of_functions(machine, from, to) {
        return Err(refused(rows, from_state, to));
    }
    for stamp in to_state.stamps {
        apply(*stamp, rows);
    }
    Ok(())
}

thread_local! {
    /// The number of triggers around the running statement of a function that moves a task. No statement can
    /// set it, because it is in the memory of this library.
    static MOVING_TASKS: Cell<Option<i32>> = const { Cell::new(None) };
}

/// Runs `work`, a statement that may let a running task be pending again, or cancel a failed one. Only functions do
/// so: by UPDATE, a task that a worker holds could be taken from it, and an end could become another one.
pub fn moving_tasks<R>(work: impl FnOnce() -> R) -> R {
    scoped::with(&MOVING_TASKS, Some(trigger_depth::now()), work)
}

fn is_step_of_functions(machine: &Machine, from: &str, to: &str) -> bool {
    const STEPS: [(&str, &str); 2] = [("running", "pending"), ("failed", "cancelled")];
    // A statement of a user's trigger, which may run within that one, takes no such step.
    let is_function = || MOVING_TASKS.get().is_some_and(|depth| trigger_depth::now() == depth + 1);
    machine.name == "task" && STEPS.contains(&(from, to)) && is_function()
}

/// Columns of sealed rows that follow the key of another row (ON UPDATE CASCADE), by machine, with the
/// query that looks for a key.
///
/// The trigger runs with the search_path of the role that writes the row, and in a cascade as the owner
/// of the table. So every name in the query has its schema. Columns are not qualified, because
/// `row.column` would call a function if the table lacked that column.
static FOLLOWING: [(&str, &str, &Statement); 2] =
    [("review", "thread_id", &RUN), ("gate", "thread_id", &RUN)];

static RUN: Statement = Statement::new(
    "SELECT id FROM orchestrator.orchestrator_runs WHERE thread_id OPERATOR(pg_catalog.=) $1",
);

/// Whether a sealed row only follows a key that has changed. In that case its old key no longer exists;
/// at any other time the foreign key forbids that.
fn follows(machine: &Machine, rows: &Rows<'_>) -> Result<bool, Error> {
    let Some((_, name, query)) = FOLLOWING.iter().find(|(of, ..)| *of == machine.name) else {
        return Ok(false);
    };
    let Some(column) = rows.column(name.as_bytes()) else {
        return Ok(false);
    };
    match rows.before::<&str>(column) {
        Some(key) if rows.changes_only(column) => {
            Ok(query.update(&[key.into()], statements::one::<pgrx::Uuid>)?.is_none())
        }
        _ => Ok(false),
    }
}

fn apply(stamp: Stamp, rows: &mut Rows<'_>) {
    match stamp {
        Stamp::Time(column) => set_when_null(rows, column, |_| Some(transaction_time())),
        Stamp::End { column, not_before } => set_when_null(rows, column, |rows| {
            let earliest = rows.column(not_before).and_then(|column| rows.after::<Time>(column));
            Some(earliest.map_or(transaction_time(), |time| time.max(transaction_time())))
        }),
        Stamp::Date(column) => set_when_null(rows, column, |_| transaction_time().day()),
        Stamp::Elapsed { column, from, to } => set_when_null(rows, column, |rows| {
            let start = rows.after::<Time>(rows.column(from)?)?;
            let end = rows.after::<Time>(rows.column(to)?)?;
            end.milliseconds_since(start)
        }),
        Stamp::Clear(column) => {
            if let Some(column) = rows.column(column) {
                rows.set(column, None::<Time>);
            }
        }
    }
}

fn set_when_null<T: IntoDatum>(
    rows: &mut Rows<'_>,
    name: &str,
    value: impl FnOnce(&Rows<'_>) -> Option<T>,
) {
    let Some(column) = rows.column(name) else {
        return;
    };
    if rows.is_null_after(column) {
        let value = value(rows);
        rows.set(column, value);
    }
}

/// The table and the row's id, for a message; the table alone if it has no id.
fn subject(rows: &Rows<'_>) -> String {
    let id = rows.column(b"id").and_then(|column| rows.old_text(column));
    match id {
        Some(id) => format!("{} {id}", rows.table()),
        None => rows.table(),
    }
}

fn refused(rows: &Rows<'_>, from: &State, to: &str) -> Error {
    Error::new(
        Kind::NotReady,
        format!("{} cannot go from \"{}\" to \"{to}\"", subject(rows), from.name),
    )
    .hint(from.allowed_in_words())
}

fn sealed(rows: &Rows<'_>, status: &str) -> Error {
    Error::new(Kind::NotReady, format!("{} is {status} and cannot be changed", subject(rows)))
        .hint("Resolved rows cannot be changed; open a new one instead.")
}
