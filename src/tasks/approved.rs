//! Tasks that need an approval: until it is given they do not begin or end, and what it is about does not
//! change.

use std::ffi::CStr;

use const_format::concatcp;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid};

use crate::schema::lifecycle;
use crate::server::error::{Error, Kind, required};
use crate::server::statements::{self, Statement};
use crate::server::trigger_rows::{ColumnHint, Rows};
use crate::server::triggers::by_key;
use crate::server::{backend_state, latest};
use crate::tasks::queue;

/// The states that a task enters only with its approval.
const HELD_FROM: [&str; 2] = ["running", "completed"];

/// The columns that an approval is about.
const APPROVED: [&str; 4] = ["title", "description", "config", "data"];

/// BEFORE UPDATE row trigger of tasks: refuses that a task begins or is completed while an approval of it is pending
/// or the last one that was answered was not given, and that its title, description, config or data change while one is pending or
/// given. It does nothing in an extension script.
///
/// Errors: 55000, 40001 an approval was requested or decided after the snapshot of the transaction. Since 0.8.0.
#[pg_trigger(sql = false)]
fn enforce_approvals<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    static ID: ColumnHint = ColumnHint::unknown();
    static STATUS: ColumnHint = ColumnHint::unknown();
    static HINTS: [ColumnHint; APPROVED.len()] = [const { ColumnHint::unknown() }; APPROVED.len()];
    let Some(rows) = Rows::of(trigger) else {
        lifecycle::misused("enforce_approvals", "it must be fired BEFORE UPDATE, FOR EACH ROW");
    };
    if backend_state::in_script() {
        return Ok(Some(rows.into_row()));
    }
    let status = rows.column_near(&STATUS, "status").filter(|column| rows.changes(*column));
    let enters = status.and_then(|column| rows.after::<String>(column));
    let begins = enters.filter(|status| HELD_FROM.contains(&status.as_str()));
    let changed = APPROVED.iter().zip(&HINTS).find(|(name, hint)| {
        rows.column_near(hint, name).is_some_and(|column| rows.changes(column))
    });
    let changed = changed.map(|(name, _)| *name);
    if changed.is_some() || (begins.is_some() && !queue::is_claiming()) {
        let id = rows.column_near(&ID, "id").and_then(|column| rows.after::<Uuid>(column));
        by_key(trigger, || {
            let id = required("id", id)?;
            if let Some(status) = &begins
                && !queue::is_claiming()
            {
                refuse(id, &HOLDING, HOLDING_NOW, || not_approved(id, status))?;
            }
            match changed {
                Some(column) => refuse(id, &ABOUT, ABOUT_NOW, || frozen(id, column)),
                None => Ok(()),
            }
        });
    }
    Ok(Some(rows.into_row()))
}

/// The approval that holds task $1: a pending one, or the last one that was answered if it was not given. Answers are
/// compared by their own time: of two questions, the one that was asked first may be answered last.
const HOLDS: &str = "SELECT format('Approval %s by role \"%s\" %s.', a.id, a.approver_role, \
            CASE a.status WHEN 'pending' THEN 'is pending' WHEN 'changes_requested' THEN 'asks for changes' ELSE 'was ' || a.status END) \
     FROM orchestrator.approvals AS a WHERE a.task_id = $1 AND a.status <> 'approved' \
       AND (a.status = 'pending' \
            OR (SELECT true FROM orchestrator.approvals AS n \
                WHERE n.task_id = $1 AND (n.decision_at, n.created_at, n.id) > (a.decision_at, a.created_at, a.id) LIMIT 1) IS NULL) LIMIT 1";
static HOLDING: Statement = Statement::new(HOLDS);
const HOLDING_NOW: &CStr = latest::statement(concatcp!(HOLDS, "\0"));

/// The approval that task $1 must stay the same for.
const IS_ABOUT: &str = "SELECT format('Approval %s by role \"%s\" is %s.', a.id, a.approver_role, a.status) \
     FROM orchestrator.approvals AS a WHERE a.task_id = $1 AND array_position(ARRAY['pending', 'approved'], a.status) IS NOT NULL LIMIT 1";
static ABOUT: Statement = Statement::new(IS_ABOUT);
const ABOUT_NOW: &CStr = latest::statement(concatcp!(IS_ABOUT, "\0"));

/// Refuses a change if a query, or the same with the newest snapshot, finds an approval of the task.
///
/// Errors: that of `refused` with the approval in words, 40001 only the newest snapshot has it.
fn refuse(
    id: Uuid,
    query: &'static Statement,
    newest: &'static CStr,
    refused: impl FnOnce() -> Error,
) -> Result<(), Error> {
    if let Some(approval) = query.update(&[id.into()], statements::one::<String>)? {
        return Err(refused().detail(approval));
    }
    if backend_state::keeps_its_snapshot()
        && let Some(approval) = latest::value::<String>(newest, &[id.into()])?
    {
        return Err(Error::new(
            Kind::Serialization,
            format!("an approval of task {id} was changed meanwhile"),
        )
        .detail(approval)
        .hint("Roll back and try again."));
    }
    Ok(())
}

fn not_approved(id: Uuid, status: &str) -> Error {
    Error::new(Kind::NotReady, format!("task {id} cannot become {status} before it is approved"))
        .hint("Wait for the decision, or ask again with orchestrator.request_approval.")
}

fn frozen(id: Uuid, column: &str) -> Error {
    Error::new(Kind::NotReady, format!("{column} of task {id} cannot be changed"))
        .hint("What is approved is what is done: withdraw a pending approval with orchestrator.withdraw_decision, change the task and ask again, or create another task.")
}
