//! Schema `orchestrator_archive`, and the names in it.

use pgrx::prelude::*;

use super::table::Table;
use crate::server::backend_state;
use crate::server::dynamic_sql;
use crate::server::error::{Error, Kind};
use crate::server::statements::{self, Statement};

/// The schema that keeps the rows of downgrades. Not a member of the extension.
pub const ARCHIVE: &str = "orchestrator_archive";

/// Whether the schema exists.
pub fn exists() -> bool {
    // SAFETY: the name is NUL-terminated.
    unsafe {
        pg_sys::get_namespace_oid(c"orchestrator_archive".as_ptr(), true) != pg_sys::InvalidOid
    }
}

/// Creates the schema if it does not exist, as an ordinary schema that DROP EXTENSION leaves alone.
pub fn ensure() -> Result<(), Error> {
    if exists() {
        return only_ours();
    }
    dynamic_sql::execute("CREATE SCHEMA orchestrator_archive")?;
    dynamic_sql::execute(
        "COMMENT ON SCHEMA orchestrator_archive IS \
         'Rows that downgrades of orchestrator_schema kept; see orchestrator.archived()'",
    )?;
    if backend_state::in_script() {
        dynamic_sql::execute(
            "ALTER EXTENSION orchestrator_schema DROP SCHEMA orchestrator_archive",
        )?;
    }
    Ok(())
}

/// Refuses the schema, or a table in it, if somebody else made it: code that its owner attached to
/// it would run with the rights of the extension's owner.
pub fn only_ours() -> Result<(), Error> {
    static STRANGER: Statement = Statement::new(
        "SELECT format('%s belongs to role %I', o.what, o.owner::regrole::text) \
         FROM (SELECT 'schema orchestrator_archive', nspowner FROM pg_namespace WHERE nspname = $1 \
               UNION ALL \
               SELECT format('%s %I.%I', 'table', n.nspname, c.relname), c.relowner \
               FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
               WHERE n.nspname = $1 AND c.relkind IN ('r', 'v', 'm', 'f', 'p')) AS o (what, owner), \
              pg_extension AS e \
         WHERE e.extname = 'orchestrator_schema' \
           AND NOT pg_has_role(o.owner, e.extowner, 'USAGE') LIMIT 1",
    );
    match STRANGER.update(&[ARCHIVE.into()], statements::one::<String>)? {
        None => Ok(()),
        Some(stranger) => Err(Error::new(
            Kind::Forbidden,
            "schema orchestrator_archive does not belong to the extension's owner alone",
        )
        .detail(stranger)
        .hint("Give it to the owner of extension orchestrator_schema, or rename it.")),
    }
}

/// The longest name in bytes. The server cuts longer ones.
pub const LONGEST_NAME: usize = pg_sys::NAMEDATALEN as usize - 1;

/// A name for an archive that no relation of the schema has: `wanted` if it is free, or else
/// `wanted` with the next number at its end. `wanted` is cut to fit into a name.
pub fn free_name(wanted: &str) -> Result<String, Error> {
    static NAMES: Statement = Statement::new(
        "SELECT c.relname::text FROM pg_class AS c \
         JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1",
    );
    let taken = NAMES.update(&[ARCHIVE.into()], statements::column::<String>)?;
    let numbered = |number: u32| {
        let number = format!("_{number}");
        let room = LONGEST_NAME.saturating_sub(number.len());
        format!("{}{number}", &wanted[..wanted.floor_char_boundary(room)])
    };
    let whole = wanted[..wanted.floor_char_boundary(LONGEST_NAME)].to_owned();
    let mut candidates = std::iter::once(whole).chain((2..).map(numbered));
    candidates
        .find(|name| !taken.contains(name))
        .ok_or_else(|| Error::new(Kind::Internal, format!("no free name for archive {wanted}")))
}

/// The relation of that name in the archive.
pub fn named(name: &str) -> Result<Option<Table>, Error> {
    static NAMED: Statement = Statement::new(
        "SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         WHERE n.nspname = $1 AND c.relname = $2",
    );
    match NAMED.update(&[ARCHIVE.into(), name.into()], statements::one::<pg_sys::Oid>)? {
        Some(oid) => Table::find(oid),
        None => Ok(None),
    }
}
