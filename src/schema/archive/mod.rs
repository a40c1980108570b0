//! Downgrade without loss: rows and values that a down script removes from schema `orchestrator`
//! are kept in `orchestrator_archive`, and the next upgrade restores them. This file has the SQL
//! functions. Beside it: the beginning of a script (`begin`, `locks`, `dependents`, `updated`); the
//! way down of tables (`archiving`) and of columns (`columns`); the way up of tables (`give_back`)
//! and of columns (`values`); the archives themselves (`archives`); and the preview of a downgrade
//! (`plan`).

pub mod archives;
mod archiving;
mod begin;
mod columns;
mod conditions;
mod count;
mod dependents;
mod give_back;
mod grants;
mod kept_levels;
mod label;
mod locks;
mod older;
mod on_its_own;
mod plan;
mod schema;
mod table;
mod transfer;
mod updated;
mod values;

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use crate::server::backend_state;
use crate::server::error::{Error, Kind, required};
use crate::server::reg_types::RegClass;
use crate::server::statements::{self, Statement};
use table::Table;

/// Takes a table, and the sequences it owns, out of the extension and keeps it in
/// `orchestrator_archive`. This takes constant time, whatever the number of rows. An empty table on
/// which no user holds a grant is dropped.
///
/// `relation`: a table of schema orchestrator.
/// Returns: the rows kept; for a table of more than 32 MiB the estimate of its statistics.
/// Errors: 22004, P0002, 22023 no table of schema orchestrator, 42501 not the extension's owner,
/// 2BP01 a user's object depends on it, 55006 it holds rows and `orchestrator_schema.downgrade` is
/// `refuse`. Since 0.0.0.
#[pg_extern(sql = false, volatile)]
fn archive_table(relation: Option<RegClass>) -> Result<i64, ErrorReport> {
    Ok(archiving::table(&owned_table(relation)?)?)
}

/// Keeps the values of columns that the calling down script is about to drop, with the key of
/// their row, for every row of the table.
///
/// It may name a column that stays, too. A script that must write into such a column, because the
/// older version demands a value, calls `note_filled_in` after it has written.
///
/// `relation`: a table of schema orchestrator with a primary key; `columns`: its columns.
/// Returns: the rows kept. Errors: as `archive_table`. Since 0.0.0.
#[pg_extern(sql = false, volatile)]
fn archive_columns(
    relation: Option<RegClass>,
    columns: Option<Vec<Option<String>>>,
) -> Result<i64, ErrorReport> {
    let table = owned_table(relation)?;
    let columns = named_columns(&table, columns)?;
    Ok(columns::keep(&table, &columns)?)
}

/// Notes the values that the calling down script wrote into columns that stay and that it named to
/// `archive_columns` before. The way up can then distinguish them from values that users write
/// later.
///
/// `relation`: a table of schema orchestrator; `columns`: its columns.
/// Returns: the rows noted. Errors: 22004, P0002, 22023, 42501 as `archive_table`; 55000 the
/// running script has archived no such columns, or no script runs. Since 0.0.0.
#[pg_extern(sql = false, volatile)]
fn note_filled_in(
    relation: Option<RegClass>,
    columns: Option<Vec<Option<String>>>,
) -> Result<i64, ErrorReport> {
    let table = owned_table(relation)?;
    let columns = named_columns(&table, columns)?;
    Ok(columns::note_filled_in(&table, &columns)?)
}

/// Restores the rows of a table that an earlier downgrade kept, and the grants that users held on
/// it. Drops the archive when it is empty.
///
/// `relation`: a table of schema orchestrator.
/// Returns: the rows restored. A NOTICE reports how many could not be restored, and why.
/// Errors: 22004, P0002, 22023, 42501. Since 0.0.0.
#[pg_extern(sql = false, volatile)]
fn restore_table(relation: Option<RegClass>) -> Result<i64, ErrorReport> {
    Ok(give_back::table(&owned_table(relation)?)?.restored)
}

/// Restores the values of columns that an earlier downgrade kept, row by key.
///
/// `relation`: a table of schema orchestrator; `columns`: its columns, just added.
/// Returns: the rows whose values were restored. Errors: as `restore_table`. Since 0.0.0.
#[pg_extern(sql = false, volatile)]
fn restore_columns(
    relation: Option<RegClass>,
    columns: Option<Vec<Option<String>>>,
) -> Result<i64, ErrorReport> {
    let table = owned_table(relation)?;
    let columns = named_columns(&table, columns)?;
    Ok(values::give_back(&table, &columns)?.restored)
}

/// Copies the grants that users hold on one function or view of the extension to another. A script
/// that replaces a function by one with other arguments, or a view by one with fewer columns, calls it
/// between creating the one and dropping the other. From a view to a function that it calls, SELECT becomes EXECUTE.
///
/// `source`, `target`: a function with its argument types, or a view. Returns: the number of grants.
/// Errors: 22004, 22023 one of the two does not exist, or they are of different kinds, 42501 not the
/// extension's owner. Since 0.0.0.
#[pg_extern(sql = false, volatile)]
fn copy_grants(source: Option<&str>, target: Option<&str>) -> Result<i64, ErrorReport> {
    let source = required("source", source)?;
    let target = required("target", target)?;
    only_for_the_owner()?;
    // The server refuses texts that are no names, each in a way of its own.
    let alike = backend_state::attempt(|| grants::are_alike(source, target))?;
    if !alike.unwrap_or(false) {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("\"{source}\" and \"{target}\" are not two functions or two views"),
        )
        .hint("A function is named with its argument types, for example orchestrator.decide(uuid, text, text, text).")
        .into());
    }
    Ok(grants::copy(source, target)?)
}

/// The rows that earlier downgrades kept and no upgrade has restored yet.
///
/// Returns: the table, or the columns of a table, that the rows belong to; the version that had
/// it; when it was kept; how many rows. Since 0.0.0.
#[pg_extern(sql = false, volatile)]
fn archived() -> Result<
    TableIterator<
        'static,
        (
            name!(object, String),
            name!(from_version, Option<String>),
            name!(archived_at, Option<TimestampWithTimeZone>),
            name!(rows, i64),
        ),
    >,
    ErrorReport,
> {
    backend_state::only_on_a_primary()?;
    let mut found = Vec::new();
    for archive in archives::all()? {
        let rows = archive.rows()?;
        found.push((archive.object(), archive.from_version, archive.archived_at, rows));
    }
    Ok(TableIterator::new(found))
}

/// Restores by hand the rows that an upgrade would have restored. This is needed after the restore
/// of a dump, because CREATE EXTENSION then runs before the archive's tables exist. A value that
/// somebody changed since stays as it is.
///
/// Returns: per archive the table or columns, the rows restored and the rows still kept.
/// Errors: 42501 not the extension's owner. Since 0.0.0.
#[pg_extern(sql = false, volatile)]
fn restore_archived() -> Result<
    TableIterator<'static, (name!(object, String), name!(restored, i64), name!(left_behind, i64))>,
    ErrorReport,
> {
    backend_state::only_on_a_primary()?;
    only_for_the_owner()?;
    Ok(TableIterator::new(give_back::everything()?))
}

/// The objects that a downgrade to `target` would archive, drop or replace, and the objects of
/// users that would stop it. Changes nothing.
///
/// `target`: a version below the installed one.
/// Returns: the step; the object; the action; the rows it concerns.
/// Errors: 22004, P0002 unknown version, 22023 not below the installed version. Since 0.0.0.
#[pg_extern(sql = false, volatile)]
fn downgrade_plan(
    target: Option<String>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(step, String),
            name!(object, String),
            name!(action, String),
            name!(rows, Option<i64>),
        ),
    >,
    ErrorReport,
> {
    backend_state::only_on_a_primary()?;
    let target = required("target", target)?;
    Ok(TableIterator::new(plan::downgrade(&target)?))
}

/// The table that an archiving function was asked to work on.
fn owned_table(relation: Option<RegClass>) -> Result<Table, Error> {
    let relation = required("relation", relation)?;
    only_for_the_owner()?;
    Table::of_schema_orchestrator(relation)
}

/// Refuses every role that does not own the extension: archived and restored rows belong to all
/// users.
fn only_for_the_owner() -> Result<(), Error> {
    static OWNER: Statement = Statement::new(
        "SELECT pg_catalog.pg_has_role(e.extowner, 'USAGE') \
         FROM pg_catalog.pg_extension AS e WHERE e.extname = 'orchestrator_schema'",
    );
    if OWNER.update(&[], statements::one::<bool>)? == Some(true) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Forbidden,
        "permission denied to archive or restore rows of orchestrator_schema",
    )
    .hint("Ask the owner of the extension: SELECT extowner::regrole FROM pg_catalog.pg_extension WHERE extname = 'orchestrator_schema';"))
}

/// The column names of an argument, each checked to be a column of the table.
fn named_columns(
    table: &Table,
    columns: Option<Vec<Option<String>>>,
) -> Result<Vec<String>, Error> {
    let columns = required("columns", columns)?
        .into_iter()
        .map(|column| required("columns", column))
        .collect::<Result<Vec<_>, _>>()?;
    if columns.is_empty() {
        return Err(Error::new(Kind::InvalidValue, "argument \"columns\" names no column"));
    }
    let (known, key) = (table.columns()?, table.key()?);
    for (place, column) in columns.iter().enumerate() {
        if columns[..place].contains(column) {
            return Err(Error::new(
                Kind::InvalidValue,
                format!("argument \"columns\" names \"{column}\" twice"),
            ));
        }
        if key.contains(column) {
            return Err(Error::new(
                Kind::InvalidValue,
                format!("column \"{column}\" of table {table} is in its primary key"),
            )
            .hint("The archive always holds the key; name only other columns."));
        }
    }
    match columns.iter().find(|name| known.iter().all(|column| column.name != **name)) {
        Some(unknown) => Err(Error::new(
            Kind::InvalidValue,
            format!("column \"{unknown}\" of table {table} does not exist"),
        )
        .hint(
            "If a version has this column, verify() returns the statement that restores it: SELECT * FROM orchestrator.verify();",
        )),
        None => Ok(columns),
    }
}
