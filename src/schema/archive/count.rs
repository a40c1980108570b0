//! The number of rows that a downgrade archives, and the refusal that a setting demands.

use std::collections::BTreeSet;

use pgrx::prelude::*;

use super::table::Table;
use crate::schema::facts::split;
use crate::schema::{catalog, manifest};
use crate::server::arguments::counted;
use crate::server::backend_state;
use crate::server::dynamic_sql;
use crate::server::error::{Error, Kind};
use crate::server::settings::{self, Downgrade};

/// Tables up to this size, in bytes, are counted row by row. The number of rows of larger ones is
/// estimated from their statistics, so that archiving takes constant time. Reading 32 MiB takes
/// some ten milliseconds.
const COUNTED_UP_TO: i64 = 32 * 1024 * 1024;

/// The number of rows of a table.
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

    pub fn rows(&self) -> i64 {
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

/// Raises the error that `orchestrator_schema.downgrade = 'refuse'` demands.
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
        if goes.contains(name.as_str()) {
            now.push(format!("{name}: {rows}"));
        } else {
            let since =
                versions.get(manifest::introduced("table", &name)?).unwrap_or(&"any version");
            later.push(format!("{name}: {rows} (below {since})"));
        }
    }
    let mut detail = format!("{table}: {}.", count.in_words());
    for (which, others) in [
        ("The same step would also archive rows or columns of", now),
        ("Later steps would archive rows of", later),
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
             SELECT * FROM orchestrator.downgrade_plan('...') lists everything that a downgrade would archive or drop.",
    ))
}

/// The names of the tables that the running down script removes, or of which it removes columns;
/// none if no script runs.
fn tables_that_go() -> Result<BTreeSet<&'static str>, Error> {
    if !backend_state::in_script() {
        return Ok(BTreeSet::new());
    }
    let above = manifest::position(&catalog::installed_version()?)? + 1;
    let gone = manifest::changes(above)?.into_iter().filter(|change| change.before.is_none());
    Ok(gone
        .filter_map(|change| match change.kind {
            "table" => Some(change.object),
            "column" => Some(split(change.object).0),
            _ => None,
        })
        .collect())
}

/// The tables that are members of the extension, newest first.
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

pub fn report(what: &str, archive: &Table) {
    backend_state::notice(format!("kept {what} in {archive}"), None);
}
