//! The way down: a table goes into schema orchestrator_archive.

use std::collections::BTreeSet;

use pgrx::prelude::*;

use super::ARCHIVE;
use super::archives::{self, Holds};
use super::dependents;
use super::give_back::move_rows;
use super::kept_levels;
use super::table::Table;
use crate::schema::{access, catalog, manifest};
use crate::server::arguments::counted;
use crate::server::backend_state;
use crate::server::dynamic_sql::{self, quote};
use crate::server::error::{Error, Kind};
use crate::server::settings::{self, Downgrade};

/// Tables up to this size, in bytes, are counted row by row; above it their statistics answer,
/// so that archiving takes constant time. 32 MiB are read within some ten milliseconds.
const COUNTED_UP_TO: i64 = 32 * 1024 * 1024;

/// How many rows a table holds.
pub enum Count {
    Exactly(i64),
    About(i64),
}

impl Count {
    pub fn of(table: &Table) -> Result<Count, Error> {
        const ESTIMATE: &str = "SELECT CASE WHEN c.reltuples > 0 AND c.relpages > 0 \
                THEN (c.reltuples / c.relpages \
                      * (pg_relation_size(c.oid) / current_setting('block_size')::bigint))::bigint \
                ELSE nullif(pg_stat_get_live_tuples(c.oid), 0) END \
             FROM pg_class AS c WHERE c.oid = $1 AND pg_relation_size(c.oid) > $2";
        let arguments = [table.oid.into(), COUNTED_UP_TO.into()];
        match dynamic_sql::value::<i64>(ESTIMATE, &arguments)? {
            Some(rows) => Ok(Count::About(rows.max(1))),
            None => Ok(Count::Exactly(table.count()?)),
        }
    }

    fn rows(&self) -> i64 {
        match self {
            Count::Exactly(rows) | Count::About(rows) => *rows,
        }
    }

    pub fn in_words(&self) -> String {
        match self {
            Count::Exactly(rows) => counted(*rows, "row"),
            Count::About(rows) => format!("about {}", counted(*rows, "row")),
        }
    }
}

/// Moves a table, with everything its rows need, into the archive.
pub fn table(table: &Table) -> Result<i64, Error> {
    dynamic_sql::execute(&format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))?;
    dependents::refuse(table)?;
    let count = if table.is_empty()? { Count::Exactly(0) } else { Count::of(table)? };
    if count.rows() > 0 {
        refuse_when_asked(table, &count)?;
    }
    leave_extension(table)?;
    if count.rows() == 0 && !has_user_settings(table)? {
        dynamic_sql::execute(&format!("DROP TABLE {table}"))?;
        return Ok(0);
    }

    archives::ensure_schema()?;
    strip(table)?;
    let older = set_aside(&names_of(table)?)?;
    dynamic_sql::execute(&format!("ALTER TABLE {table} SET SCHEMA {ARCHIVE}"))?;
    let archive = Table { schema: ARCHIVE.to_owned(), ..table.clone() };
    archives::label(&archive, &table.name, &Holds::Rows)?;
    append(older, &archive)?;
    report(&format!("{} of {table}", count.in_words()), &archive);
    Ok(count.rows())
}

/// Raises the error that `orchestrator_schema.downgrade = 'refuse'` asks for.
pub fn refuse_when_asked(table: &Table, count: &Count) -> Result<(), Error> {
    if settings::downgrade()? == Downgrade::Archive {
        return Ok(());
    }
    let (mut now, mut later) = (Vec::new(), Vec::new());
    let (goes, versions) = (tables_that_go()?, manifest::versions()?);
    for other in member_tables()? {
        if other.oid == table.oid || other.is_empty()? {
            continue;
        }
        let (name, rows) = (other.to_string(), Count::of(&other)?.in_words());
        if goes.contains(&name) {
            now.push(format!("{name}: {rows}"));
        } else {
            let since =
                versions.get(manifest::introduced("table", &name)?).unwrap_or(&"any version");
            later.push(format!("{name}: {rows} (below {since})"));
        }
    }
    let mut detail = format!("{table}: {}.", count.in_words());
    for (which, others) in [
        ("The same step takes rows or columns of", now),
        ("Steps further down take rows of", later),
    ] {
        if !others.is_empty() {
            detail.push_str(&format!("\n{which} {}.", others.join(", ")));
        }
    }
    Err(Error::new(
        Kind::InUse,
        format!("the downgrade would archive rows of {table}"),
    )
    .detail(detail)
    .hint(
        "SET orchestrator_schema.downgrade = 'archive' keeps them in schema orchestrator_archive; \
             SELECT * FROM orchestrator.downgrade_plan('...') shows all that a downgrade takes out.",
    ))
}

/// The names of the tables that the running down script takes out, or columns of; none outside of
/// one.
fn tables_that_go() -> Result<BTreeSet<String>, Error> {
    if !backend_state::in_script() {
        return Ok(BTreeSet::new());
    }
    let below = manifest::position(&catalog::installed_version()?)?;
    let (above, below) = (manifest::members_at(below + 1)?, manifest::members_at(below)?);
    let gone = above.into_keys().filter(|member| !below.contains_key(member));
    Ok(gone
        .filter_map(|member| match member.kind.as_str() {
            "table" => Some(member.object),
            "column" => Some(member.split().0.to_owned()),
            _ => None,
        })
        .collect())
}

/// The tables that are members of the extension, the youngest first.
fn member_tables() -> Result<Vec<Table>, Error> {
    const TABLES: &str = "SELECT c.oid FROM pg_class AS c \
         JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e' \
         JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid \
         WHERE e.extname = 'orchestrator_schema' AND c.relkind = 'r' ORDER BY c.oid DESC";
    let mut tables = Vec::new();
    for oid in dynamic_sql::column::<pg_sys::Oid>(TABLES, &[])? {
        tables.extend(Table::find(oid)?);
    }
    Ok(tables)
}

/// Takes a table and the sequences it owns out of the extension. A sequence left behind as a
/// member would make a later DROP EXTENSION ... CASCADE drop the column that uses it.
fn leave_extension(table: &Table) -> Result<(), Error> {
    const MEMBERS: &str = "SELECT format('%s %I.%I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, \
                n.nspname, c.relname) \
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         JOIN pg_depend AS m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid AND m.deptype = 'e' \
         JOIN pg_extension AS e ON m.refclassid = 'pg_extension'::regclass AND m.refobjid = e.oid \
         WHERE e.extname = 'orchestrator_schema' \
           AND (c.oid = $1 OR EXISTS (SELECT FROM pg_depend AS o \
                WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid AND c.relkind = 'S' \
                  AND o.refclassid = 'pg_class'::regclass AND o.refobjid = $1 AND o.deptype IN ('a', 'i'))) \
         ORDER BY c.relkind = 'r'";
    for member in dynamic_sql::column::<String>(MEMBERS, &[table.oid.into()])? {
        dynamic_sql::execute(&format!("ALTER EXTENSION orchestrator_schema DROP {member}"))?;
    }
    Ok(())
}

/// Whether anyone but the owner holds a grant on the table, a column of it or a sequence that it owns, or
/// it has a setting that no version gives.
fn has_user_settings(table: &Table) -> Result<bool, Error> {
    const SETTINGS: &str = "SELECT EXISTS (SELECT FROM pg_class AS c, aclexplode(c.relacl) AS a \
                WHERE a.grantee <> c.relowner AND (c.oid = $1 OR c.relkind = 'S' AND c.oid IN ( \
                    SELECT d.objid FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass \
                      AND d.refclassid = d.classid AND d.refobjid = $1 AND d.deptype IN ('a', 'i')))) \
         OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = $1 AND attacl IS NOT NULL) \
         OR EXISTS (SELECT FROM pg_class WHERE oid = $1 \
                    AND (relrowsecurity OR relforcerowsecurity OR relreplident <> 'd' OR reloptions IS NOT NULL))";
    dynamic_sql::known(SETTINGS, &[table.oid.into()], "settings")
}

/// Drops what ties a table to the extension: foreign keys, triggers, and whatever uses a function
/// of ours (defaults, checks, indexes). Each would block DROP EXTENSION, or go with it.
fn strip(table: &Table) -> Result<(), Error> {
    const TIES: &str = "WITH ours AS ( \
             SELECT d.classid, d.objid FROM pg_depend AS d \
             JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid \
             WHERE e.extname = 'orchestrator_schema' AND d.deptype = 'e' \
         ), tied AS ( \
             SELECT d.classid, d.objid FROM pg_depend AS d \
             JOIN ours AS o ON d.refclassid = o.classid AND d.refobjid = o.objid) \
         SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', $2, conname) FROM pg_constraint \
         WHERE conrelid = $1 \
           AND (contype = 'f' OR ('pg_constraint'::regclass, oid) IN (SELECT classid, objid FROM tied)) \
         UNION ALL \
         SELECT format('DROP TRIGGER %I ON %s', tgname, $2) FROM pg_trigger \
         WHERE tgrelid = $1 AND NOT tgisinternal \
         UNION ALL \
         SELECT format('ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', $2, a.attname) \
         FROM pg_attrdef AS d JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum \
         WHERE d.adrelid = $1 AND a.attgenerated = '' \
           AND ('pg_attrdef'::regclass, d.oid) IN (SELECT classid, objid FROM tied) \
         UNION ALL \
         SELECT format('DROP INDEX %s', i.indexrelid::regclass) FROM pg_index AS i \
         WHERE i.indrelid = $1 AND ('pg_class'::regclass, i.indexrelid) IN (SELECT classid, objid FROM tied)";
    let statements: Vec<String> =
        dynamic_sql::column(TIES, &[table.oid.into(), table.to_string().as_str().into()])?;
    for statement in statements {
        dynamic_sql::execute(&statement)?;
    }
    Ok(())
}

/// The relation of that name in the archive.
pub fn named(name: &str) -> Result<Option<Table>, Error> {
    const NAMED: &str = "SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE n.nspname = $1 AND c.relname = $2";
    match dynamic_sql::value::<pg_sys::Oid>(NAMED, &[ARCHIVE.into(), name.into()])? {
        Some(oid) => Table::find(oid),
        None => Ok(None),
    }
}

/// The names that a table takes in its schema: its own, those of its indexes and of the sequences
/// that it owns.
fn names_of(table: &Table) -> Result<Vec<String>, Error> {
    const NAMES: &str = "SELECT c.relname::text FROM pg_class AS c WHERE c.oid = $1 \
            OR EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = $1 AND i.indexrelid = c.oid) \
            OR c.relkind = 'S' AND EXISTS ( \
                SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid \
                  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND d.deptype IN ('a', 'i')) \
         ORDER BY c.oid <> $1, c.relname";
    dynamic_sql::column(NAMES, &[table.oid.into()])
}

/// Makes room in the archive for relations of these names: whatever has one gets the next free name,
/// with all that is in it and on it. The table that had the first, which is the new archive's, when
/// there was one.
pub fn set_aside(names: &[String]) -> Result<Option<Table>, Error> {
    const IS_TABLE: &str = "SELECT relkind = 'r' FROM pg_class WHERE oid = $1";
    let mut older = None;
    for (place, name) in names.iter().enumerate() {
        let Some(present) = named(name)? else { continue };
        let aside = archives::free_name(name)?;
        dynamic_sql::execute(&format!("ALTER TABLE {present} RENAME TO {}", quote(&aside)))?;
        if place == 0 && dynamic_sql::value::<bool>(IS_TABLE, &[present.oid.into()])? == Some(true)
        {
            older = Some(Table { name: aside, ..present });
        }
    }
    Ok(older)
}

/// Appends what an older archive held. Rows whose key is in the new one as well stay apart, and so
/// does all of an archive that the new one cannot take in.
pub fn append(older: Option<Table>, archive: &Table) -> Result<(), Error> {
    let Some(older) = older else { return Ok(()) };
    // It stays under its own name, and the way up gives it back after the newer one.
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

pub fn report(what: &str, archive: &Table) {
    backend_state::notice(format!("kept {what} in {archive}"), None);
}
