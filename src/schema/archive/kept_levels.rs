//! The levels that roles had before a downgrade: an archive whose rows refer to roles, which have
//! identifiers of their own in each cluster.

use super::archives::{self, Archive};
use super::table::Table;
use super::transfer::Outcome;
use crate::schema::access;
use crate::server::dynamic_sql;
use crate::server::error::Error;

/// Restores the levels of the roles in an archive.
pub fn give_back(archive: &Archive) -> Result<Outcome, Error> {
    let table = &archive.table;
    recognise(table)?;
    let (restored, left_behind) =
        table.with_replica_identity(|| access::give_back(&table.to_string()))?;
    if left_behind == 0 {
        dynamic_sql::execute(&format!("DROP TABLE {table}"))?;
    } else {
        archives::note_left_behind(archive)?;
    }
    Ok(Outcome { restored, left_behind })
}

/// Notes that the roles of an archive belong to this cluster if pg_upgrade brought the archive
/// here. pg_upgrade gives a cluster another identifier and keeps those of roles and tables. A table
/// that a dump brought has another identifier than the one in its rows.
pub fn recognise(table: &Table) -> Result<(), Error> {
    const NOTES: [&str; 2] = ["system_identifier", "kept_in"];
    // Somebody may have dropped these columns from the archive.
    if !table.has_columns(&NOTES.map(str::to_owned))? {
        return Ok(());
    }
    let sql = format!(
        "UPDATE {table} AS l SET system_identifier = c.system_identifier, kept_in = l.tableoid \
         FROM pg_control_system() AS c \
         WHERE (l.system_identifier = c.system_identifier) <> (l.kept_in = l.tableoid)"
    );
    table.with_replica_identity(|| dynamic_sql::execute(&sql))?;
    Ok(())
}
