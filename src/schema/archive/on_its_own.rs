//! Each archive is restored on its own: a failure of one does not affect the others. Rows that
//! cannot be restored stay in it, and a NOTICE reports how many and why.

use super::archives::{self, Archive};
use super::dependents;
use super::table::{ForeignKey, Table};
use super::transfer::Outcome;
use crate::server::arguments::counted;
use crate::server::backend_state;
use crate::server::dynamic_sql;
use crate::server::error::Error;

/// Restores one archive on its own, unless a user's object depends on the archive: the object would
/// be lost with it.
pub fn unless_in_use(
    archive: &Archive,
    work: impl FnOnce() -> Result<Outcome, Error>,
) -> Result<Outcome, Error> {
    dynamic_sql::execute(&format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", archive.table))?;
    let dependents = dependents::of_archive(&archive.table)?;
    if dependents.is_empty() {
        return on_its_own(archive, work);
    }
    let mut reasons: Vec<_> = dependents
        .iter()
        .map(|dependent| format!("{} depends on the archive", dependent.description))
        .collect();
    reasons.extend(dependents.into_iter().filter_map(|dependent| dependent.undo));
    reasons.push(
        "without these objects, run SELECT * FROM orchestrator.restore_archived()".to_owned(),
    );
    stays(archive, &reasons)
}

/// Restores one archive, independently of the others. If `work` fails, the archive stays as it is,
/// and a NOTICE reports why.
pub fn on_its_own(
    archive: &Archive,
    work: impl FnOnce() -> Result<Outcome, Error>,
) -> Result<Outcome, Error> {
    match backend_state::attempt(work)? {
        Ok(outcome) => Ok(outcome),
        Err(setback) => stays(archive, &[setback.0]),
    }
}

/// Leaves everything in an archive, and reports why.
pub fn stays(archive: &Archive, reasons: &[String]) -> Result<Outcome, Error> {
    let rows = archive.rows()?;
    archives::note_left_behind(archive)?;
    left_behind(rows, &archive.object(), &archive.table, reasons);
    Ok(Outcome { restored: 0, left_behind: rows })
}

/// Reports how many rows stay in the archive, and why.
pub fn left_behind(rows: i64, belongs_to: &str, archive: &Table, reasons: &[String]) {
    backend_state::notice(
        format!("could not restore {} of {belongs_to}, kept in {archive}", counted(rows, "row")),
        Some(reasons.join("; ")),
    );
}

/// Reports how many rows were restored without the reference that they had.
pub fn lost_reference(belongs_to: &str, key: &ForeignKey, rows: i64) {
    let columns = key.columns.join(", ");
    backend_state::notice(
        format!("restored {} of {belongs_to} without {columns}", counted(rows, "row")),
        Some(format!("{columns} referred to a row of {} that does not exist.", key.parent)),
    );
}
