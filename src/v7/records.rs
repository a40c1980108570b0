//! What the rows say: phases in order, enum mappings, owners, dependencies, and that nothing has
//! started or completed without approval. Rows can be inserted in any state - a restore does so -,
//! so what a trigger cannot refuse is found here.

use super::approval::{self, Lack, Phase};
use super::built::Built;
use super::plan::PHASES;
use super::sign_offs::{self, SignOff, Stage};
use super::{Check, enum_records};
use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{rows, statements};

const LOAD_PLAN: &str = "SELECT * FROM orchestrator.v7_load_plan();";

/// The checks of `v7_verify_data`.
pub fn checks(built: &Built) -> Result<Vec<Check>, Error> {
    let phases = match built.missing_table("v7_migration_workflow") {
        Some(why) => Err(why),
        None => Ok(all_phases()?),
    };
    let tasks = built.missing_table("v7_subworkflow_tasks");
    let lacks = match (&phases, &tasks, built.missing_table("migration_sign_offs")) {
        (Err(why), _, _) | (_, Some(why), _) => Err(why.clone()),
        (_, _, Some(why)) => Err(why),
        (Ok(phases), _, _) => Ok(lacks(phases)?),
    };
    let (started, completed) = match lacks {
        Ok(Lacks { started, completed }) => (Ok(started), Ok(completed)),
        Err(why) => (Err(why.clone()), Err(why)),
    };
    Ok(vec![
        seven_phases(&phases),
        phase_names(&phases),
        enum_mappings(built)?,
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
    ALL.select(&[], approval::phases)
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

/// Names of the phases that are there; a missing one is told by the check before.
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
fn enum_mappings(built: &Built) -> Result<Check, Error> {
    const NAME: &str = "enum mappings";
    const EXPECTED: &str = "> 0, or no duplicate enum types";
    static COUNT: Statement =
        Statement::new("SELECT count(*) FROM orchestrator.v7_enum_migrations AS m");
    if let Some(why) = built.missing_table("v7_enum_migrations") {
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
    Ok(none_with_commands(NAME, WITHOUT.select(&[], told)?))
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
    let mut found = DANGLING.select(&[], told)?;
    found.extend(super::dependencies::circles()?);
    Ok(none_with_commands(NAME, found))
}

/// What should not be, in words, with the command that ends it.
pub type Told = (String, String);

/// The first two columns of every row.
pub fn told(rows: pgrx::spi::SpiTupleTable<'_>) -> Result<Vec<Told>, Error> {
    rows::each(rows, |row| Ok((rows::value(row, 1, "what")?, rows::value(row, 2, "command")?)))
}

/// A check that finds what should not be; its hint is the command for the first.
fn none_with_commands(name: &'static str, found: Vec<Told>) -> Check {
    let (names, commands): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    Check::none(name, &names).hint(commands.into_iter().next().unwrap_or_default())
}

/// What phases lack that have been started or completed all the same.
#[derive(Default)]
struct Lacks {
    started: Vec<Told>,
    completed: Vec<Told>,
}

fn lacks(phases: &[Phase]) -> Result<Lacks, Error> {
    static OPEN: Statement = Statement::new(
        "SELECT format('%s \"%s\" (%s, %s)', t.task_number, t.task_name, t.status, t.responsible_persona) \
         FROM orchestrator.v7_subworkflow_tasks AS t \
         WHERE t.parent_phase = $1 AND t.status NOT IN ('completed', 'cancelled') ORDER BY t.task_number",
    );
    let mut found = Lacks::default();
    for phase in phases.iter().filter(|phase| phase.is_started()) {
        // A phase that is missing altogether is told by the first check.
        let previous = phases.iter().find(|other| other.number == phase.number - 1);
        let before = sign_offs::missing_in_statement(phase.number, Stage::Before)?;
        if previous.is_some() || phase.number == 1 {
            tell(&mut found.started, phase, approval::lacks_to_start(phase, previous, &before));
        } else {
            tell(&mut found.started, phase, before.iter().map(Lack::from).collect());
        }
        let (missing, open): (Vec<SignOff>, Vec<String>) = match phase.status.as_str() {
            "completed" => (
                sign_offs::missing_in_statement(phase.number, Stage::After)?,
                OPEN.select(&[phase.number.into()], statements::column::<String>)?,
            ),
            "approved" => (Vec::new(), Vec::new()),
            _ => continue,
        };
        tell(&mut found.completed, phase, approval::lacks_to_complete(phase, &missing, &open));
    }
    Ok(found)
}

fn tell(found: &mut Vec<Told>, phase: &Phase, lacks: Vec<Lack>) {
    let Some(first) = lacks.first() else { return };
    let roll_back = format!("SELECT orchestrator.v7_roll_back_phase({}, '...');", phase.number);
    let command = if first.command == roll_back {
        roll_back
    } else {
        format!("{} or {roll_back}", first.command)
    };
    let whats: Vec<_> = lacks.into_iter().map(|lack| lack.what).collect();
    let told = format!("{} is {} without {}", phase.title(), phase.status, whats.join(" and "));
    found.push((told, command));
}

fn without_approval(name: &'static str, lacks: Result<Vec<Told>, String>) -> Check {
    match lacks {
        Err(why) => Check::unreadable(name, "0", &why),
        Ok(lacks) => none_with_commands(name, lacks),
    }
}
