//! Tasks of a phase: issuing them, and noting when one was handed over to the external tracker.

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, Uuid};

use super::{dependencies, phase};
use crate::schema::lifecycle::misused;
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::trigger_rows::Rows;
use crate::server::{arguments, statements};

/// Issues a task of a phase, with the next number.
///
/// `dependencies`: tasks that must be completed before it is ready; `dart_task_id`,
/// `dart_task_url`: where the external tracker has it. Returns: its id.
/// Errors: 22004, 22023 a blank text or a circle, P0002 no such phase or dependency, 55000 the
/// phase is over. Since 0.4.3.
#[pg_extern(sql = false, volatile)]
fn v7_issue_task(
    phase_number: Option<i32>,
    task_name: Option<&str>,
    responsible_persona: Option<&str>,
    dependencies: default!(Option<Vec<Option<Uuid>>>, "'{}'"),
    dart_task_id: default!(Option<&str>, "NULL"),
    dart_task_url: default!(Option<&str>, "NULL"),
) -> Result<Uuid, ErrorReport> {
    static ISSUE: Statement = Statement::new(
        "INSERT INTO orchestrator.v7_subworkflow_tasks \
             (parent_phase, task_number, task_name, responsible_persona, dependencies, dart_task_id, dart_task_url) \
         SELECT $1, coalesce(max(t.task_number), 0) + 1, $2, $3, $4, $5, $6 \
         FROM orchestrator.v7_subworkflow_tasks AS t WHERE t.parent_phase = $1 RETURNING id",
    );
    static LAST: Statement = Statement::new(
        "SELECT max(t.task_number) = 2147483647 FROM orchestrator.v7_subworkflow_tasks AS t WHERE t.parent_phase = $1",
    );
    let number = phase::number(phase_number)?;
    let name = arguments::filled("task_name", task_name)?;
    let persona = arguments::filled("responsible_persona", responsible_persona)?;
    let wanted = dependencies.unwrap_or_default();
    for (argument, value) in [("dart_task_id", dart_task_id), ("dart_task_url", dart_task_url)] {
        value.map(|value| arguments::filled(argument, Some(value))).transpose()?;
    }
    phase::lock_for_task(number)?;
    let wanted = dependencies::checked(None, wanted)?;
    if LAST.update(&[number.into()], statements::one::<bool>)? == Some(true) {
        return Err(Error::new(Kind::NotReady, format!("phase {number} has no task number left"))
            .detail("The highest number, 2147483647, is taken.")
            .hint("Give that task another number.")
            .into());
    }
    let arguments = [
        number.into(),
        name.into(),
        persona.into(),
        wanted.into(),
        dart_task_id.into(),
        dart_task_url.into(),
    ];
    let id = ISSUE.update(&arguments, statements::one::<Uuid>)?;
    Ok(id.ok_or_else(|| Error::no_row("the task could not be issued", "v7_subworkflow_tasks"))?)
}

/// AFTER UPDATE row trigger of the tasks: the external tracker, if it has this one, now has it in an
/// older form. Since 0.4.3.
#[pg_trigger(sql = false)]
fn v7_note_change<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    // A task that was issued with its id in the tracker was handed over when it was created.
    static NOTE: Statement = Statement::new(
        "INSERT INTO orchestrator.migration_hand_overs AS h (task_id, dart_task_id, handed_over_at, changed_at) \
         SELECT t.id, t.dart_task_id, t.created_at, now() FROM orchestrator.v7_subworkflow_tasks AS t \
         WHERE t.id = $1 AND t.dart_task_id IS NOT NULL \
         ON CONFLICT (task_id) DO UPDATE SET changed_at = excluded.changed_at WHERE h.changed_at IS NULL",
    );
    note("v7_note_change", trigger, &NOTE)
}

/// AFTER UPDATE OF dart_task_id, dart_task_url row trigger of the tasks: whoever writes one of
/// them, also the same again, has handed the task over as it stands now. Since 0.4.3.
#[pg_trigger(sql = false)]
fn v7_note_hand_over<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    static NOTE: Statement = Statement::new(
        "WITH forgotten AS ( \
             DELETE FROM orchestrator.migration_hand_overs AS h USING orchestrator.v7_subworkflow_tasks AS t \
             WHERE h.task_id = $1 AND t.id = $1 AND t.dart_task_id IS NULL) \
         INSERT INTO orchestrator.migration_hand_overs AS h (task_id, dart_task_id) \
         SELECT t.id, t.dart_task_id FROM orchestrator.v7_subworkflow_tasks AS t \
         WHERE t.id = $1 AND t.dart_task_id IS NOT NULL \
         ON CONFLICT (task_id) DO UPDATE \
         SET dart_task_id = excluded.dart_task_id, handed_over_at = excluded.handed_over_at, changed_at = NULL",
    );
    note("v7_note_hand_over", trigger, &NOTE)
}

/// Runs a statement for the task that was updated.
fn note<'a>(
    function: &str,
    trigger: &'a PgTrigger<'a>,
    statement: &'static Statement,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    let Some(rows) = Rows::of(trigger) else {
        misused(function, "it must be fired AFTER UPDATE, FOR EACH ROW");
    };
    let id = rows.column("id").and_then(|column| rows.after::<Uuid>(column));
    if let Err(error) = statement.update(&[id.into()], |_| Ok(())) {
        ErrorReport::from(error).report(PgLogLevel::ERROR);
    }
    Ok(Some(rows.into_row()))
}
