//! Checks of rows: phases in order, enum mappings, owners, dependencies, and no start or completion
//! without approval. A restore inserts rows in any state, which no trigger refuses, so these checks
//! find them.

use super::approval;
use super::check::{Check, Finding, findings};
use super::installed::Installed;
use super::phase::{self, Phase, Requirement};
use super::plan::PHASES;
use super::sign_offs::{self, SignOff, Stage};
use super::{enum_records, open_tasks};
use crate::server::error::Error;
use crate::server::rows;
use crate::server::statements::Statement;

const LOAD_PLAN: &str = "SELECT * FROM orchestrator.v7_load_plan();";

/// The checks of `v7_verify_data`.
pub fn checks(installed: &Installed) -> Result<Vec<Check>, Error> {
    let phases = match installed.missing_table("v7_migration_workflow") {
        Some(why) => Err(why),
        None => Ok(all_phases()?),
    };
    let tasks = installed.missing_table("v7_subworkflow_tasks");
    let unapproved = match (&phases, &tasks, installed.missing_table("migration_sign_offs")) {
        (Err(why), _, _) | (_, Some(why), _) => Err(why.clone()),
        (_, _, Some(why)) => Err(why),
        (Ok(phases), _, _) => Ok(unapproved(phases)?),
    };
    let (started, completed) = match unapproved {
        Ok(Unapproved { started, completed }) => (Ok(started), Ok(completed)),
        Err(why) => (Err(why.clone()), Err(why)),
    };
    Ok(vec![
        seven_phases(&phases),
        phase_names(&phases),
        enum_mappings(installed)?,
        owners(&tasks)?,
        dependencies(&tasks)?,
        without_approval("phases started without approval", started),
        without_approval("phases completed without approval", completed),
    ])
}

fn all_phases() -> Result<Vec<Phase>, Error> {
    static ALL: Statement = Statement::new(
        "SELECT w.phase_number, w.phase_name, w.status, w.approval_status, w.approved_by \
         FROM orchestrator.v7_migration_workflow AS w ORDER BY w.phase_number",
    );
    ALL.select(&[], phase::phases)
}

/// Phases, or why they cannot be read.
type Phases = Result<Vec<Phase>, String>;

fn seven_phases(phases: &Phases) -> Check {
    const NAME: &str = "phases";
    match phases {
        Err(why) => Check::unreadable(NAME, "7", why),
        Ok(phases) => {
            let missing: Vec<String> = (1i32..)
                .zip(PHASES)
                .filter(|(number, _)| phases.iter().all(|phase| phase.number != *number))
                .map(|(number, (name, _))| format!("{number} {name} is missing"))
                .collect();
            Check::count(NAME, PHASES.len(), phases.len()).naming(&missing).hint(LOAD_PLAN)
        }
    }
}

/// Names of the existing phases; the check before reports a missing one.
fn phase_names(phases: &Phases) -> Check {
    const NAME: &str = "phases with another name";
    let phases = match phases {
        Err(why) => return Check::unreadable(NAME, "0", why),
        Ok(phases) => phases,
    };
    let expected = |phase: &Phase| {
        usize::try_from(phase.number - 1)
            .ok()
            .and_then(|place| PHASES.get(place))
            .map(|(name, _)| *name)
    };
    let renamed: Vec<_> =
        phases.iter().filter(|phase| expected(phase) != Some(phase.name.as_str())).collect();
    let names: Vec<String> = renamed
        .iter()
        .map(|phase| {
            format!(
                "{} is \"{}\" instead of \"{}\"",
                phase.number,
                phase.name,
                expected(phase).unwrap_or("nothing")
            )
        })
        .collect();
    let hint = renamed.first().map(|phase| {
        format!(
            "UPDATE orchestrator.v7_migration_workflow SET phase_name = '{}' WHERE phase_number = {};",
            expected(phase).unwrap_or_default(),
            phase.number
        )
    });
    Check::none(NAME, &names).hint(hint.unwrap_or_default())
}

/// Duplicate enums are recorded: some are, or there are none.
fn enum_mappings(installed: &Installed) -> Result<Check, Error> {
    const NAME: &str = "enum mappings";
    const EXPECTED: &str = "> 0, or no duplicate enum types";
    static COUNT: Statement =
        Statement::new("SELECT count(*) FROM orchestrator.v7_enum_migrations AS m");
    if let Some(why) = installed.missing_table("v7_enum_migrations") {
        return Ok(Check::unreadable(NAME, EXPECTED, &why));
    }
    let mappings = COUNT.select(&[], |rows| rows::only::<i64>(rows, "count"))?;
    let missing = if mappings > 0 { Vec::new() } else { enum_records::unrecorded()? };
    let check = Check {
        name: NAME,
        expected: EXPECTED.to_owned(),
        actual: mappings.to_string(),
        passed: missing.is_empty(),
        hint: None,
    };
    Ok(check.naming(&missing).hint("SELECT orchestrator.v7_record_enum_duplicates();"))
}

fn owners(tasks: &Option<String>) -> Result<Check, Error> {
    const NAME: &str = "phase 4 tasks without owner";
    static WITHOUT: Statement = Statement::new(
        "SELECT format('%s %s', t.task_number, t.task_name), \
             format('UPDATE orchestrator.v7_subworkflow_tasks SET responsible_persona = ''...'' WHERE parent_phase = 4 AND task_number = %s;', t.task_number) \
         FROM orchestrator.v7_subworkflow_tasks AS t \
         WHERE t.parent_phase = 4 AND coalesce(t.responsible_persona, '') !~ '[^[:space:]]' ORDER BY t.task_number",
    );
    if let Some(why) = tasks {
        return Ok(Check::unreadable(NAME, "0", why));
    }
    Ok(Check::no_finding(NAME, WITHOUT.select(&[], findings)?))
}

/// Tasks wait for tasks that exist, and not for themselves. An array has no foreign key.
fn dependencies(tasks: &Option<String>) -> Result<Check, Error> {
    const NAME: &str = "dependencies that can never be met";
    static DANGLING: Statement = Statement::new(
        "SELECT format('%s.%s waits for %s, which does not exist', t.parent_phase, t.task_number, d.id), \
             format('UPDATE orchestrator.v7_subworkflow_tasks SET dependencies = array_remove(dependencies, %L) WHERE id = %L;', d.id, t.id) \
         FROM orchestrator.v7_subworkflow_tasks AS t, unnest(t.dependencies) AS d (id) \
         WHERE NOT EXISTS (SELECT FROM orchestrator.v7_subworkflow_tasks AS o WHERE o.id = d.id) \
         ORDER BY t.parent_phase, t.task_number, d.id",
    );
    if let Some(why) = tasks {
        return Ok(Check::unreadable(NAME, "0", why));
    }
    let mut found = DANGLING.select(&[], findings)?;
    found.extend(super::dependencies::circles()?);
    Ok(Check::no_finding(NAME, found))
}

/// Phases that were started or completed although a requirement is missing.
#[derive(Default)]
struct Unapproved {
    started: Vec<Finding>,
    completed: Vec<Finding>,
}

fn unapproved(phases: &[Phase]) -> Result<Unapproved, Error> {
    let mut found = Unapproved::default();
    for phase in phases.iter().filter(|phase| phase.is_started()) {
        // The first check reports a phase that does not exist.
        let previous = phases.iter().find(|other| other.number == phase.number - 1);
        let before = sign_offs::missing_in_statement(phase.number, Stage::Before)?;
        if previous.is_some() || phase.number == 1 {
            note(
                &mut found.started,
                phase,
                approval::requirements_to_start(phase, previous, &before),
            );
        } else {
            note(&mut found.started, phase, before.iter().map(SignOff::requirement).collect());
        }
        let (missing, open): (Vec<SignOff>, Vec<String>) = match phase.status.as_str() {
            "completed" => (
                sign_offs::missing_in_statement(phase.number, Stage::After)?,
                open_tasks::in_statement(phase.number)?,
            ),
            "approved" => (Vec::new(), Vec::new()),
            _ => continue,
        };
        note(
            &mut found.completed,
            phase,
            approval::requirements_to_complete(phase, &missing, &open),
        );
    }
    Ok(found)
}

fn note(found: &mut Vec<Finding>, phase: &Phase, missing: Vec<Requirement>) {
    let Some(first) = missing.first() else { return };
    let roll_back = format!("SELECT orchestrator.v7_roll_back_phase({}, '...');", phase.number);
    let command = if first.command == roll_back {
        roll_back
    } else {
        format!("{} or {roll_back}", first.command)
    };
    let whats: Vec<_> = missing.into_iter().map(|requirement| requirement.what).collect();
    let what = format!("{} is {} without {}", phase.title(), phase.status, whats.join(" and "));
    found.push(Finding { what, command });
}

fn without_approval(name: &'static str, found: Result<Vec<Finding>, String>) -> Check {
    match found {
        Err(why) => Check::unreadable(name, "0", &why),
        Ok(found) => Check::no_finding(name, found),
    }
}
