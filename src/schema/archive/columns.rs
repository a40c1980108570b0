//! Values of columns, kept with the key of their row before a down script drops the columns.
//!
//! A down script may also keep the values of a column that stays, if it must write into that column
//! the values that the older version demands. `note_filled_in` then notes the values that it left
//! there.

use super::archives::{self, Archive, Holds};
use super::conditions::same_key;
use super::count::{self, Count};
use super::dependents;
use super::grants;
use super::older;
use super::schema::{self, ARCHIVE};
use super::table::Table;
use crate::server::backend_state;
use crate::server::dynamic_sql::{self, list, quote};
use crate::server::error::{Error, Kind};

/// Copies the values of columns, with the key of their rows, into the archive.
pub fn keep(table: &Table, columns: &[String]) -> Result<i64, Error> {
    dynamic_sql::execute(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))?;
    let key = table.key()?;
    if key.is_empty() {
        return Err(Error::new(Kind::InvalidValue, format!("{table} has no primary key"))
            .hint("The archive needs the key of each row."));
    }
    dependents::refuse_columns(table, columns)?;
    if table.is_empty()? {
        return Ok(0);
    }
    count::refuse_when_asked(table, &Count::of(table)?)?;

    schema::ensure()?;
    let rows = format!("ONLY {table} AS kept");
    let (archive, rows) = store(table, &key, &table.name, columns, &rows, |archive| {
        archives::label(archive, &table.name, &Holds::Columns(columns.to_vec()))
    })?;
    let what = format!("{} of {table} ({})", Count::Exactly(rows).in_words(), columns.join(", "));
    count::report(&what, &archive);
    Ok(rows)
}

/// Keeps the values of `columns` of archived rows that were restored without these columns. `rows`
/// is the part of a query after FROM that yields these rows as `kept`. Returns the archive and its
/// number of rows, or `None` if there are no such rows. Version and time are those of the archive
/// that held the rows.
pub fn set_apart(
    archive: &Archive,
    live: &Table,
    columns: &[String],
    rows: &str,
) -> Result<Option<(Table, i64)>, Error> {
    if dynamic_sql::value::<bool>(&format!("SELECT EXISTS (SELECT FROM {rows})"), &[])?
        != Some(true)
    {
        return Ok(None);
    }
    let label = |apart: &Table| archives::label_as(apart, archive, columns);
    store(&archive.table, &live.key()?, &archive.belongs_to, columns, rows, label).map(Some)
}

/// Makes an archive of columns of the rows that `rows` yields as `kept`, with the grants that users
/// hold on these columns of `source`. The rows of an older archive of the same columns are appended
/// to it.
fn store(
    source: &Table,
    key: &[String],
    belongs_to: &str,
    columns: &[String],
    rows: &str,
    label: impl FnOnce(&Table) -> Result<(), Error>,
) -> Result<(Table, i64), Error> {
    let holds = Holds::Columns(columns.to_vec());
    let same = archives::of(belongs_to)?.into_iter().find(|archive| archive.holds == holds);
    let name = match same {
        Some(archive) => archive.table.name,
        None => schema::free_name(&format!("{belongs_to}_columns"))?,
    };
    let older = older::set_aside(std::slice::from_ref(&name))?;
    let values = columns.iter().filter(|column| !key.contains(column));
    let names: Vec<_> = key.iter().chain(values).collect();
    let target = format!("{ARCHIVE}.{}", quote(&name));
    let stored = dynamic_sql::execute(&format!(
        "CREATE TABLE {target} AS SELECT {} FROM {rows}",
        list("kept.", &names)
    ))?;
    dynamic_sql::execute(&format!("ALTER TABLE {target} ADD PRIMARY KEY ({})", list("", key)))?;
    if backend_state::in_script() {
        dynamic_sql::execute(&format!("ALTER EXTENSION orchestrator_schema DROP TABLE {target}"))?;
    }
    let archive = schema::named(&name)?
        .ok_or_else(|| Error::new(Kind::Internal, format!("archive {target} was not created")))?;
    grants::give_column_grants(source, &archive)?;
    label(&archive)?;
    older::append(older, &archive)?;
    Ok((archive, stored))
}

/// Notes the values that the running script left in columns whose earlier values it has kept. A
/// table that held no row has no archive, and nothing to note.
pub fn note_filled_in(table: &Table, columns: &[String]) -> Result<i64, Error> {
    let Some(archive) = archives::by_this_script(&table.name, columns)? else {
        if backend_state::in_script() && table.is_empty()? {
            return Ok(0);
        }
        return Err(Error::new(
            Kind::NotReady,
            format!("no running script has archived {table} ({})", columns.join(", ")),
        )
        .hint("A down script calls orchestrator.archive_columns for them first."));
    };
    let (kept, key) = (&archive.table, table.key()?);
    let mut rows = 0;
    for column in table.columns()?.iter().filter(|column| columns.contains(&column.name)) {
        let (name, left) = (quote(&column.name), quote(&archives::left(&column.name)));
        let known = kept.columns()?.iter().any(|known| known.name == archives::left(&column.name));
        if !known {
            let type_name = &column.type_name;
            dynamic_sql::execute(&format!("ALTER TABLE {kept} ADD COLUMN {left} {type_name}"))?;
        }
        rows += dynamic_sql::execute(&format!(
            "UPDATE {kept} AS kept SET {left} = live.{name} FROM ONLY {table} AS live \
             WHERE {} AND record_image_ne(ROW(kept.{name}), ROW(live.{name}))",
            same_key(&key, "kept", "live")
        ))?;
    }
    Ok(rows)
}
