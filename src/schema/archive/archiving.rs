//! The way down of tables: moves a table into schema orchestrator_archive.

use const_format::concatcp;

use super::archives::{self, Holds};
use super::count::{Count, refuse_when_asked, report};
use super::dependents;
use super::older;
use super::schema::{self, ARCHIVE};
use super::table::{OWNED_SEQUENCES, Table};
use crate::server::dynamic_sql;
use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{rows, statements};

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

    schema::ensure()?;
    strip(table)?;
    let older = older::set_aside(&older::names_of(table)?)?;
    dynamic_sql::execute(&format!("ALTER TABLE {table} SET SCHEMA {ARCHIVE}"))?;
    let archive = Table { schema: ARCHIVE.to_owned(), ..table.clone() };
    archives::label(&archive, &table.name, &Holds::Rows)?;
    older::append(older, &archive)?;
    report(&format!("{} of {table}", count.in_words()), &archive);
    Ok(count.rows())
}

/// Takes a table and the sequences it owns out of the extension. A sequence left behind as a
/// member would make a later DROP EXTENSION ... CASCADE drop the column that uses it.
fn leave_extension(table: &Table) -> Result<(), Error> {
    static MEMBERS: Statement = Statement::new(concatcp!(
        "SELECT format('%s %I.%I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, \
                n.nspname, c.relname) \
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         JOIN pg_depend AS m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid AND m.deptype = 'e' \
         JOIN pg_extension AS e ON m.refclassid = 'pg_extension'::regclass AND m.refobjid = e.oid \
         WHERE e.extname = 'orchestrator_schema' \
           AND (c.oid = $1 OR c.oid IN (",
        OWNED_SEQUENCES,
        ")) ORDER BY c.relkind = 'r'"
    ));
    for member in MEMBERS.update(&[table.oid.into()], statements::column::<String>)? {
        dynamic_sql::execute(&format!("ALTER EXTENSION orchestrator_schema DROP {member}"))?;
    }
    Ok(())
}

/// Whether a role other than the owner holds a grant on the table, a column of it or a sequence
/// that it owns, or the table has a setting that no version makes.
fn has_user_settings(table: &Table) -> Result<bool, Error> {
    static SETTINGS: Statement = Statement::new(concatcp!(
        "SELECT EXISTS (SELECT FROM pg_class AS c, aclexplode(c.relacl) AS a \
                WHERE a.grantee <> c.relowner AND (c.oid = $1 OR c.oid IN (",
        OWNED_SEQUENCES,
        "))) \
         OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = $1 AND attacl IS NOT NULL) \
         OR EXISTS (SELECT FROM pg_class WHERE oid = $1 \
                    AND (relrowsecurity OR relforcerowsecurity OR relreplident <> 'd' OR reloptions IS NOT NULL))"
    ));
    SETTINGS.update(&[table.oid.into()], |rows| rows::only(rows, "settings"))
}

/// Drops the parts that tie a table to the extension: foreign keys, triggers, and the defaults,
/// checks and indexes that use a function of the extension. Each would block DROP EXTENSION, or be
/// dropped by it.
fn strip(table: &Table) -> Result<(), Error> {
    static TIES: Statement = Statement::new(include_str!("tied_to_extension.sql"));
    let statements: Vec<String> =
        TIES.update(&[table.oid.into(), table.to_string().as_str().into()], statements::column)?;
    for statement in statements {
        dynamic_sql::execute(&statement)?;
    }
    Ok(())
}
