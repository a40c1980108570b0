//! The tables and views of the extension, for the generated documents.

use anyhow::Result;
use postgres::Client;

use crate::address::query;

/// The tables and views of the extension with their comments: `r` or `v`, oid, name, qualified name, comment.
pub fn of_kind(client: &mut Client, kind: &str) -> Result<Vec<Relation>> {
    let sql = format!(
        "SELECT c.oid, c.relname::text, format('%I.%I', n.nspname, c.relname),
                coalesce(obj_description(c.oid, 'pg_class'), '')
         FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
         JOIN pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'orchestrator_schema'
         WHERE c.relkind = '{kind}' ORDER BY c.relname COLLATE \"C\""
    );
    query(client, &sql)?
        .iter()
        .map(|row| {
            Ok(Relation {
                oid: row.try_get(0)?,
                name: row.try_get(1)?,
                qualified: row.try_get(2)?,
                comment: row.try_get(3)?,
            })
        })
        .collect()
}

/// A table or view.
pub struct Relation {
    pub oid: u32,
    pub name: String,
    pub qualified: String,
    pub comment: String,
}
