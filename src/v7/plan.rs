//! The plan of the migration: seven phases, the tasks that document the database before anything
//! changes, and the eight tasks of the database phase. From the migration's master workflow and
//! section 2 of its database phase.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::phase::{self, APPROVER};
use crate::server::error::Error;
use crate::server::rows;
use crate::server::statements::Statement;

/// Name and lead of each phase, in order.
pub const PHASES: [(&str, &str); 7] = [
    ("Assessment", APPROVER),
    ("Design", "Layer Guardians"),
    ("Review", "Workflow Personas"),
    ("Database", "DB Team Lead"),
    ("Implementation", "Dev Team"),
    ("Validation", "Test Sentinel"),
    ("Retirement", APPROVER),
];

/// A task of the plan.
struct Task {
    name: &'static str,
    persona: &'static str,
    /// The numbers of the tasks of the same phase that come first.
    after: &'static [i32],
}

const fn task(name: &'static str, persona: &'static str, after: &'static [i32]) -> Task {
    Task { name, persona, after }
}

const ASSESSMENT: [Task; 5] = [
    task("Schema snapshot", APPROVER, &[]),
    task("Enum inventory with usage", APPROVER, &[1]),
    task("Dependency map", APPROVER, &[1]),
    task("Performance baseline", APPROVER, &[1]),
    task("Archive of the current state", APPROVER, &[1, 2, 3, 4]),
];

const DATABASE: [Task; 8] = [
    task("2.1.1 Database state documentation", APPROVER, &[]),
    task("2.1.2 Script review and validation", "DB Team Lead", &[1]),
    task("2.1.3 Impact analysis", "Layer Guardians", &[1]),
    task("2.2.1 V7 infrastructure tables", "DB Team Lead", &[1, 2, 3]),
    task("2.2.2 File audit columns", "DB Team Lead", &[4]),
    task("2.2.3 Initial data", APPROVER, &[4, 5]),
    task("2.3.1 Validation testing", "Test Sentinel", &[6]),
    task("2.3.2 Integration setup", "Dev Team", &[6]),
];

/// Loads the plan. What is there already stays as it is, whoever changed it.
///
/// Returns: how many phases and tasks were added; all zero when it is repeated. Since 0.4.3.
#[pg_extern(sql = false, volatile)]
fn v7_load_plan()
-> Result<TableIterator<'static, (name!(loaded, String), name!(rows, i64))>, ErrorReport> {
    let phases = load_phases()?;
    let assessment = load_tasks(1, &ASSESSMENT)?;
    let database = load_tasks(4, &DATABASE)?;
    Ok(TableIterator::new([
        ("phases".to_owned(), phases),
        ("phase 1 tasks".to_owned(), assessment),
        ("phase 4 tasks".to_owned(), database),
    ]))
}

fn load_phases() -> Result<i64, Error> {
    static ADD: Statement = Statement::new(
        "INSERT INTO orchestrator.v7_migration_workflow (phase_number, phase_name, lead_persona) \
         VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id",
    );
    let mut added = 0;
    for (number, (name, lead)) in (1i32..).zip(PHASES) {
        let arguments = [number.into(), name.into(), lead.into()];
        added += ADD.update(&arguments, |rows| Ok(rows.len() as i64))?;
    }
    Ok(added)
}

/// Adds the tasks of a phase, unless it is over. A task that got another number or another name is the
/// same task, and is not added again.
fn load_tasks(phase: i32, tasks: &[Task]) -> Result<i64, Error> {
    static LOCK: Statement = Statement::new(
        "SELECT w.status FROM orchestrator.v7_migration_workflow AS w \
         WHERE w.phase_number = $1 FOR NO KEY UPDATE",
    );
    static ADD: Statement = Statement::new(
        "INSERT INTO orchestrator.v7_subworkflow_tasks \
             (parent_phase, task_number, task_name, responsible_persona, dependencies) \
         SELECT w.phase_number, $2, $3, $4, \
                ARRAY(SELECT d.id FROM orchestrator.v7_subworkflow_tasks AS d \
                      WHERE d.parent_phase = w.phase_number AND d.task_name = ANY ($5) ORDER BY d.task_number) \
         FROM orchestrator.v7_migration_workflow AS w \
         WHERE w.phase_number = $1 \
           AND NOT EXISTS (SELECT FROM orchestrator.v7_subworkflow_tasks AS t \
                           WHERE t.parent_phase = w.phase_number AND t.task_name = $3) \
         ON CONFLICT DO NOTHING RETURNING id",
    );
    let status = LOCK.update(&[phase.into()], |rows| {
        rows::one::<String>(rows, "v7_migration_workflow.status")
    })?;
    if status.is_none_or(|status| phase::is_over(&status)) {
        return Ok(0);
    }
    let mut added = 0;
    for (number, task) in (1i32..).zip(tasks) {
        let after = |other: &(i32, &Task)| task.after.contains(&other.0);
        let names: Vec<String> =
            (1..).zip(tasks).filter(after).map(|(_, other)| other.name.to_owned()).collect();
        let arguments =
            [phase.into(), number.into(), task.name.into(), task.persona.into(), names.into()];
        added += ADD.update(&arguments, |rows| Ok(rows.len() as i64))?;
    }
    if added > 0 {
        phase::lock_for_task(phase)?;
    }
    Ok(added)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_wait_for_earlier_ones_only() {
        for tasks in [&ASSESSMENT[..], &DATABASE[..]] {
            for (number, task) in (1..).zip(tasks) {
                assert!(
                    task.after.iter().all(|first| (1..number).contains(first)),
                    "{}",
                    task.name
                );
            }
        }
    }
}
