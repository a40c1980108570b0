//! The way up of tables: restores rows from schema orchestrator_archive.

use super::archives::{self, Archive, Holds};
use super::columns;
use super::conditions;
use super::dependents;
use super::grants::{advance_sequences, give_grants, give_settings};
use super::kept_levels;
use super::on_its_own::{left_behind, lost_reference, on_its_own, stays, unless_in_use};
use super::table::Table;
use super::transfer::{
    Outcome, came_back, clear, copy_rows, lost_references, reasons, shared_columns,
    without_triggers,
};
use super::values::{self, OnConflict};
use crate::schema::{access, manifest};
use crate::server::dynamic_sql;
use crate::server::error::Error;
use crate::server::statements::{self, Statement};

/// Restores the rows of a table from its archives.
pub fn table(live: &Table) -> Result<Outcome, Error> {
    let mut total = Outcome::default();
    for archive in archives::of(&live.name)?.iter().filter(|archive| archive.holds == Holds::Rows) {
        let outcome = rows(archive, live)?;
        total.restored += outcome.restored;
        total.left_behind += outcome.left_behind;
    }
    Ok(total)
}

fn rows(archive: &Archive, live: &Table) -> Result<Outcome, Error> {
    unless_in_use(archive, || {
        give_grants(&archive.table, live)?;
        give_settings(&archive.table, live)?;
        advance_sequences(&archive.table, live)?;
        if archive.belongs_to == access::KEPT_LEVELS {
            kept_levels::recognise(&archive.table)?;
        }
        on_its_own(archive, || rows_of(archive, live))
    })
}

/// Refuses to go on if a user's object depends on an archive whose rows the step up to `target`
/// restores: the step drops the archive.
pub fn refuse_over_dependents(target: &str) -> Result<(), Error> {
    let place = manifest::position(target)?;
    let mut dependents = Vec::new();
    for archive in archives::all()? {
        if archive.place_in_chain()? == place {
            dependents.extend(dependents::of_archive(&archive.table)?);
        }
    }
    dependents::refuse_over(&format!("upgrade to {target}"), dependents::UP, dependents)
}

fn rows_of(archive: &Archive, live: &Table) -> Result<Outcome, Error> {
    let misfits = conditions::misfits(&archive.table, live)?;
    if !misfits.is_empty() {
        return stays(archive, &misfits);
    }
    let lost = lost_references(&archive.table, live)?;
    let (mut outcome, apart) = without_triggers(|| {
        let restored = copy_rows(&archive.table, live)?;
        let apart = set_extra_apart(archive, live)?;
        Ok((clear(&archive.table, live, restored)?, apart))
    })?;
    if outcome.left_behind == 0 {
        dynamic_sql::execute(&format!("DROP TABLE {}", archive.table))?;
    } else {
        archives::note_left_behind(archive)?;
        let reasons = reasons(&archive.table, live)?;
        left_behind(outcome.left_behind, &live.to_string(), &archive.table, &reasons);
    }
    outcome.left_behind += apart;
    for (key, rows) in lost {
        lost_reference(&live.to_string(), &key, rows);
    }
    Ok(outcome)
}

/// Keeps, with the key of their row, the values of restored rows in columns that the table does not
/// have. The archived row itself does not stay: if somebody deleted the restored row, a later call
/// would restore it once more.
fn set_extra_apart(archive: &Archive, live: &Table) -> Result<i64, Error> {
    let (shared, extra) = shared_columns(&archive.table, live)?;
    if extra.is_empty() || live.key()?.is_empty() {
        return Ok(0);
    }
    let given = extra.iter().map(|name| conditions::is_given("kept", name));
    let rows = format!(
        "{live} AS live JOIN ONLY {} AS kept ON {} WHERE {}",
        archive.table,
        came_back(live, &shared)?,
        given.collect::<Vec<_>>().join(" OR ")
    );
    let Some((table, apart)) = columns::set_apart(archive, live, &extra, &rows)? else {
        return Ok(0);
    };
    let what = Archive { holds: Holds::Columns(extra), ..archive.clone() }.object();
    let reason = "the table has no such column; the rest of the row was restored".to_owned();
    left_behind(apart, &what, &table, &[reason]);
    Ok(apart)
}

/// Restores every archive that the installed version has a place for.
pub fn everything() -> Result<Vec<(String, i64, i64)>, Error> {
    let mut outcomes = Vec::new();
    for archive in archives::all()? {
        let object = archive.object();
        let outcome = match (archive.live_table()?, &archive.holds) {
            (Some(live), Holds::Rows) => rows(&archive, &live)?,
            (Some(live), Holds::Columns(held)) if live.has_columns(held)? => {
                values::values(&archive, &live, OnConflict::Keep)?
            }
            (None, Holds::Rows) if archive.belongs_to == access::KEPT_LEVELS => {
                unless_in_use(&archive, || kept_levels::give_back(&archive))?
            }
            _ => Outcome { restored: 0, left_behind: archive.rows()? },
        };
        outcomes.push((object, outcome.restored, outcome.left_behind));
    }
    if outcomes.iter().any(|(_, restored, _)| *restored > 0) {
        rebuild_derived()?;
    }
    Ok(outcomes)
}

/// Writes the tables again whose rows follow from those of others, in the versions that have them: rows
/// are restored without triggers.
fn rebuild_derived() -> Result<(), Error> {
    static IS_THERE: Statement = Statement::new(
        "SELECT pg_catalog.to_regprocedure('orchestrator.rebuild_task_queue()') IS NOT NULL",
    );
    const REBUILD: &str = "SELECT orchestrator.rebuild_task_queue()";
    if IS_THERE.update(&[], statements::one::<bool>)? == Some(true) {
        dynamic_sql::value::<i64>(REBUILD, &[])?;
    }
    Ok(())
}
