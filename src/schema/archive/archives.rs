//! The archives themselves. `orchestrator_archive.<table>` holds the rows of a table,
//! `orchestrator_archive.<table>_columns` the key and the values of columns. A number at the end of
//! the name distinguishes older archives. Version and time are in the table's comment, so that a
//! dump includes them.

use std::cmp::Reverse;

use const_format::concatcp;
use pgrx::prelude::*;
use pgrx::spi::SpiTupleTable;

use super::label::{self, Label};
use super::schema::{self, ARCHIVE};
use super::table::Table;
use crate::schema::{access, catalog, manifest};
use crate::server::backend_state;
use crate::server::dynamic_sql::{self, quote};
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{interrupts, rows, statements};

/// The content of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    Rows,
    /// Values of these columns, beside the key.
    Columns(Vec<String>),
}

/// One table of schema orchestrator_archive.
#[derive(Clone, Debug)]
pub struct Archive {
    pub table: Table,
    /// The name of the table of schema orchestrator that the rows belong to.
    pub belongs_to: String,
    pub holds: Holds,
    pub from_version: Option<String>,
    pub archived_at: Option<TimestampWithTimeZone>,
}

impl Archive {
    /// The table, or the columns of a table, whose values it holds.
    pub fn object(&self) -> String {
        let table = format!("orchestrator.{}", quote(&self.belongs_to));
        match &self.holds {
            Holds::Rows => table,
            Holds::Columns(columns) => format!("{table} ({})", columns.join(", ")),
        }
    }

    pub fn rows(&self) -> Result<i64, Error> {
        self.table.count()
    }

    /// The table in schema orchestrator, if the installed version has it.
    pub fn live_table(&self) -> Result<Option<Table>, Error> {
        static LIVE: Statement = Statement::new(
            "SELECT c.oid FROM pg_class AS c \
             JOIN pg_namespace AS n ON n.oid = c.relnamespace \
             WHERE n.nspname = 'orchestrator' AND c.relname = $1 AND c.relkind = 'r'",
        );
        match LIVE.update(&[self.belongs_to.as_str().into()], statements::one::<pg_sys::Oid>)? {
            Some(oid) => Table::find(oid),
            None => Ok(None),
        }
    }

    /// The position in the chain of the version that introduced its table, or the last of its
    /// columns. Archives are restored in this order; within one version, parents before children.
    pub fn place_in_chain(&self) -> Result<usize, Error> {
        if self.belongs_to == access::KEPT_LEVELS {
            return manifest::introduced("function", access::ACCESS);
        }
        let table = format!("orchestrator.{}", quote(&self.belongs_to));
        let mut place = manifest::introduced("table", &table)?;
        if let Holds::Columns(columns) = &self.holds {
            for column in columns {
                let column = format!("{table}.{}", quote(column));
                place = place.max(manifest::introduced("column", &column)?);
            }
        }
        Ok(place)
    }

    /// The number of foreign keys on the longest path from its table to a table that references no
    /// other.
    fn depth(&self) -> Result<i32, Error> {
        static DEPTH: Statement = Statement::new(
            "WITH RECURSIVE parent AS ( \
                 SELECT $1 AS oid, 0 AS steps, ARRAY[$1] AS path \
                 UNION ALL \
                 SELECT c.confrelid, p.steps + 1, p.path || c.confrelid \
                 FROM parent AS p JOIN pg_constraint AS c ON c.conrelid = p.oid \
                 WHERE c.contype = 'f' AND c.confrelid <> ALL (p.path)) \
             SELECT max(steps) FROM parent",
        );
        let Some(live) = self.live_table()? else { return Ok(0) };
        DEPTH.update(&[live.oid.into()], |rows| rows::only(rows, "depth"))
    }
}

/// The names of the columns of archive `c` that hold values of rows. The columns of its key are
/// left out, and so are the columns for values that a down script left.
const VALUES_OF: &str = "(SELECT coalesce(array_agg(a.attname::text ORDER BY a.attnum), '{}') FROM pg_attribute AS a \
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname NOT LIKE '% as left' \
            AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary \
                            AND a.attnum = ANY (i.indkey)))";

/// Every archive, in the order in which they can be restored.
pub fn all() -> Result<Vec<Archive>, Error> {
    let mut archives = Vec::new();
    for archive in found()? {
        archives.push((archive.place_in_chain()?, archive.depth()?, archive));
    }
    archives.sort_by_key(|(place, depth, _)| (*place, *depth));
    Ok(archives.into_iter().map(|(_, _, archive)| archive).collect())
}

/// Every archive, by its name.
fn found() -> Result<Vec<Archive>, Error> {
    static TABLES: Statement = Statement::new(concatcp!(
        "SELECT c.oid, c.relname::text, obj_description(c.oid, 'pg_class'), ",
        VALUES_OF,
        " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE n.nspname = $1 AND c.relkind = 'r' ORDER BY length(c.relname), c.relname"
    ));
    if !schema::exists() {
        return Ok(Vec::new());
    }
    let found = TABLES.update(&[ARCHIVE.into()], read)?;
    if !found.is_empty() {
        schema::only_ours()?;
    }
    Ok(found.into_iter().map(|(archive, _)| archive).collect())
}

/// The archives that a statement found, each with whether an earlier attempt to restore it left
/// something in it. The label identifies an archive; if the label is lost, its name does.
fn read(tables: SpiTupleTable<'_>) -> Result<Vec<(Archive, bool)>, Error> {
    let mut found = Vec::new();
    for row in tables {
        interrupts::allow();
        let oid = rows::value::<pg_sys::Oid>(&row, 1, "pg_class.oid")?;
        let name = rows::value::<String>(&row, 2, "pg_class.relname")?;
        let comment = rows::optional::<String>(&row, 3, "pg_description.description")?;
        let values = rows::value::<Vec<String>>(&row, 4, "pg_attribute.attname")?;
        let label = Label::read(comment, &name, &values)?;
        let left_behind = label.as_ref().is_some_and(|label| label.left_behind);
        let (belongs_to, holds, from_version, archived_at) = match label {
            Some(label) => {
                let archived_at = label.archived_at.as_deref().and_then(label::time);
                let holds = label.columns.map_or(Holds::Rows, Holds::Columns);
                (label.table, holds, label.from_version, archived_at)
            }
            None => match label::by_name(&name) {
                (owner, true) => (owner, Holds::Columns(values), None, None),
                (owner, false) => (owner, Holds::Rows, None, None),
            },
        };
        let table = Table { oid, schema: ARCHIVE.to_owned(), name };
        found.push((Archive { table, belongs_to, holds, from_version, archived_at }, left_behind));
    }
    Ok(found)
}

/// The archives that the installed version can restore and that nobody has tried to restore, as
/// after the restore of a dump of an older version. Reads the catalog alone, so that it works on a
/// standby, and for roles that may do no more than that. `levels`: whether the version has levels.
pub fn waiting(levels: bool) -> Result<Vec<Archive>, Error> {
    static TABLES: Statement = Statement::new(concatcp!(
        "SELECT c.oid, c.relname::text, obj_description(c.oid, 'pg_class'), ",
        VALUES_OF,
        " FROM pg_extension AS e, pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE n.nspname = $1 AND c.relkind = 'r' AND e.extname = 'orchestrator_schema' \
           AND pg_has_role(c.relowner, e.extowner, 'USAGE') ORDER BY c.relname"
    ));
    static PLACE: Statement = Statement::new(
        "SELECT array_agg(a.attname::text) FROM pg_class AS c \
         JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         WHERE n.nspname = 'orchestrator' AND c.relname = $1 AND c.relkind = 'r' GROUP BY c.oid",
    );
    let found = TABLES.select(&[ARCHIVE.into()], read)?;
    let installed = manifest::position(&catalog::installed_version()?)?;
    let mut waiting = Vec::new();
    for (archive, left_behind) in found {
        // Values of a column that stays, which older versions cannot hold.
        let is_newer = archive
            .from_version
            .as_deref()
            .and_then(|version| manifest::position(version).ok())
            .is_some_and(|version| version > installed);
        if left_behind || is_newer {
            continue;
        }
        let belongs_to = archive.belongs_to.as_str();
        let place = PLACE.select(&[belongs_to.into()], statements::one::<Vec<String>>)?;
        let has_place = match (&place, &archive.holds) {
            (Some(_), Holds::Rows) => true,
            (Some(present), Holds::Columns(held)) => held.iter().all(|name| present.contains(name)),
            (None, holds) => levels && *holds == Holds::Rows && belongs_to == access::KEPT_LEVELS,
        };
        if has_place {
            waiting.push(archive);
        }
    }
    Ok(waiting)
}

/// Notes on an archive that rows or values had to stay in it. `waiting` lists it no longer.
pub fn note_left_behind(archive: &Archive) -> Result<(), Error> {
    let Archive { table, belongs_to, holds, .. } = archive;
    let mut label = label_of(archive)?.unwrap_or(Label {
        table: belongs_to.clone(),
        columns: columns_of(holds),
        from_version: None,
        archived_at: None,
        left_behind: false,
    });
    if label.left_behind {
        return Ok(());
    }
    label.left_behind = true;
    write(table, &label)
}

/// The label of an archive, if it can be read.
fn label_of(archive: &Archive) -> Result<Option<Label>, Error> {
    static COMMENT: Statement = Statement::new(concatcp!(
        "SELECT obj_description(c.oid, 'pg_class'), ",
        VALUES_OF,
        " FROM pg_class AS c WHERE c.oid = $1"
    ));
    let table = &archive.table;
    COMMENT.update(&[table.oid.into()], |found| {
        let found = found.first();
        let comment = rows::optional::<String>(&found, 1, "pg_description.description")?;
        let values = rows::value::<Vec<String>>(&found, 2, "pg_attribute.attname")?;
        Label::read(comment, &table.name, &values)
    })
}

fn columns_of(holds: &Holds) -> Option<Vec<String>> {
    match holds {
        Holds::Rows => None,
        Holds::Columns(columns) => Some(columns.clone()),
    }
}

/// The archives that hold rows, or values of columns, of one table; newest first.
pub fn of(table: &str) -> Result<Vec<Archive>, Error> {
    let mut archives = Vec::new();
    for archive in found()?.into_iter().filter(|archive| archive.belongs_to == table) {
        archives.push((archive.place_in_chain()?, archive));
    }
    // An archive whose label is lost counts as the oldest.
    archives.sort_by_key(|(place, archive)| (Reverse(archive.archived_at), *place));
    Ok(archives.into_iter().map(|(_, archive)| archive).collect())
}

/// The archive that the running script made of these columns of a table. It may hold other columns
/// too.
pub fn by_this_script(table: &str, columns: &[String]) -> Result<Option<Archive>, Error> {
    static NOW: Statement = Statement::new("SELECT now()");
    if !backend_state::in_script() {
        return Ok(None);
    }
    let now = NOW.update(&[], statements::one::<TimestampWithTimeZone>)?;
    let left = manifest::version_left()?;
    Ok(of(table)?.into_iter().find(|archive| {
        let Holds::Columns(held) = &archive.holds else { return false };
        archive.archived_at == now
            && archive.from_version.as_deref() == Some(left.as_str())
            && columns.iter().all(|column| held.contains(column))
    }))
}

/// The suffix of a column that holds the values which a down script left in another column.
const AS_LEFT: &str = " as left";

/// The name of the archive's column for the values that a down script left in `column`. It is NULL
/// where the script left the kept value.
pub fn left(column: &str) -> String {
    format!("{column}{AS_LEFT}")
}

/// Writes version and time into the comment of an archive's table.
pub fn label(archive: &Table, belongs_to: &str, holds: &Holds) -> Result<(), Error> {
    static NOW: Statement = Statement::new(
        "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
    );
    let label = Label {
        table: belongs_to.to_owned(),
        columns: columns_of(holds),
        from_version: Some(manifest::version_left()?),
        archived_at: NOW.update(&[], statements::one)?,
        left_behind: false,
    };
    write(archive, &label)
}

/// Labels an archive of columns with the version and time of the archive that held the values
/// before.
pub fn label_as(archive: &Table, before: &Archive, columns: &[String]) -> Result<(), Error> {
    let Some(Label { from_version, archived_at, .. }) = label_of(before)? else {
        // Its name identifies it.
        return Ok(());
    };
    let (table, columns) = (before.belongs_to.clone(), Some(columns.to_vec()));
    write(archive, &Label { table, columns, from_version, archived_at, left_behind: false })
}

fn write(archive: &Table, label: &Label) -> Result<(), Error> {
    let text = serde_json::to_string(label).map_err(|error| {
        Error::new(Kind::Internal, format!("the archive's label cannot be written: {error}"))
    })?;
    comment(archive, &text)
}

pub fn comment(archive: &Table, text: &str) -> Result<(), Error> {
    let literal = pgrx::spi::quote_literal(text);
    dynamic_sql::execute(&format!("COMMENT ON TABLE {archive} IS {literal}"))?;
    Ok(())
}
