//! Archives that exist already when a downgrade makes another one of the same name.

use const_format::concatcp;

use super::kept_levels;
use super::schema;
use super::table::{OWNED_SEQUENCES, Table};
use super::transfer::move_rows;
use crate::schema::access;
use crate::server::backend_state;
use crate::server::dynamic_sql::{self, quote};
use crate::server::error::Error;
use crate::server::statements::{self, Statement};

/// The names that a table uses in its schema: its own, those of its indexes and those of the
/// sequences that it owns.
pub fn names_of(table: &Table) -> Result<Vec<String>, Error> {
    static NAMES: Statement = Statement::new(concatcp!(
        "SELECT c.relname::text FROM pg_class AS c WHERE c.oid = $1 \
            OR EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = $1 AND i.indexrelid = c.oid) \
            OR c.oid IN (",
        OWNED_SEQUENCES,
        ") ORDER BY c.oid <> $1, c.relname"
    ));
    NAMES.update(&[table.oid.into()], statements::column)
}

/// Frees these names in the schema of archives: each relation that has one of them gets the next
/// free name, and keeps its content and everything on it. Returns the table that had the first
/// name, which is the name of the new archive, if there was one.
pub fn set_aside(names: &[String]) -> Result<Option<Table>, Error> {
    static IS_TABLE: Statement =
        Statement::new("SELECT relkind = 'r' FROM pg_class WHERE oid = $1");
    let mut older = None;
    for (place, name) in names.iter().enumerate() {
        let Some(present) = schema::named(name)? else { continue };
        let aside = schema::free_name(name)?;
        dynamic_sql::execute(&format!("ALTER TABLE {present} RENAME TO {}", quote(&aside)))?;
        if place == 0
            && IS_TABLE.update(&[present.oid.into()], statements::one::<bool>)? == Some(true)
        {
            older = Some(Table { name: aside, ..present });
        }
    }
    Ok(older)
}

/// Appends the rows of an older archive. A row whose key the new archive has as well stays in the
/// older one. An older archive that the new one cannot take in stays as it is.
pub fn append(older: Option<Table>, archive: &Table) -> Result<(), Error> {
    let Some(older) = older else { return Ok(()) };
    // If something is left in it, it stays under its own name, and the way up restores it after the
    // newer one.
    let _apart = backend_state::attempt(|| merge(&older, archive))?;
    Ok(())
}

fn merge(older: &Table, archive: &Table) -> Result<(), Error> {
    let present = archive.columns()?;
    for column in older.columns()? {
        if present.iter().all(|known| known.name != column.name) {
            dynamic_sql::execute(&format!(
                "ALTER TABLE {archive} ADD COLUMN {} {}",
                quote(&column.name),
                column.type_name
            ))?;
        }
    }
    let levels = archive.name == access::KEPT_LEVELS;
    if levels {
        kept_levels::recognise(older)?;
    }
    if move_rows(older, archive)?.left_behind == 0 {
        dynamic_sql::execute(&format!("DROP TABLE {older}"))?;
    }
    if levels {
        kept_levels::recognise(archive)?;
    }
    Ok(())
}
