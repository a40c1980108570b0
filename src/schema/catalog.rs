//! The extension as it stands in the catalog: its installed version and its members.

use std::collections::BTreeMap;
use std::sync::Arc;

use pgrx::prelude::*;

use crate::schema::facts::{Facts, Member, Members};
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{backend_state, concurrent_drop, interrupts, plans, rows, statements};

/// The columns of each table of the extension as they follow each other, quoted; an empty name for
/// each dropped one.
pub fn columns_in_order() -> Result<BTreeMap<String, Vec<String>>, Error> {
    static COLUMNS: Statement = Statement::new(
        "SELECT format('%I.%I', n.nspname, c.relname), \
                array_agg(CASE WHEN a.attisdropped THEN '' ELSE quote_ident(a.attname) END ORDER BY a.attnum) \
         FROM pg_extension AS e \
         JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e' \
         JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind IN ('r', 'p') \
         JOIN pg_namespace AS n ON n.oid = c.relnamespace \
         JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 \
         WHERE e.extname = 'orchestrator_schema' GROUP BY c.oid, n.nspname, c.relname",
    );
    COLUMNS.select(&[], |found| {
        let mut tables = BTreeMap::new();
        for row in found {
            interrupts::allow();
            let table = rows::value::<String>(&row, 1, "pg_class.relname")?;
            tables.insert(table, rows::value(&row, 2, "pg_attribute.attname")?);
        }
        Ok(tables)
    })
}

/// Every member of the installed extension.
///
/// The server writes definitions in the session's own style; the manifest knows one.
pub fn members() -> Result<Members, Error> {
    static MEMBERS: Statement = Statement::new(concat!(
        "SELECT kind, object, part_of, facts::text FROM (",
        include_str!("members.sql"),
        "\n) AS member"
    ));
    read(&MEMBERS)
}

/// Whether members of that kind belong to a relation.
pub fn is_part(kind: &str) -> bool {
    ["column", "index", "constraint", "trigger", "policy", "rule", "statistics"].contains(&kind)
}

/// The columns of the extension's tables. The server leaves out the rest of the query, whose definitions cost most, and the
/// locks that writing down a view takes.
pub fn columns() -> Result<Members, Error> {
    static COLUMNS: Statement = Statement::new(concat!(
        "SELECT kind, object, part_of, facts::text FROM (",
        include_str!("members.sql"),
        "\n) AS member WHERE kind = 'column'"
    ));
    read(&COLUMNS)
}

/// What is built on a relation, given by its identifier and its name: members without their facts.
pub fn parts_of(relation: pg_sys::Oid, name: &str) -> Result<Vec<Member>, Error> {
    static PARTS: Statement = Statement::new(include_str!("parts_of.sql"));
    let read = || {
        PARTS.select(&[relation.into(), name.into()], |found| {
            rows::each(found, |part| {
                let kind = rows::value(part, 1, "part.kind")?;
                Ok(Member { kind, object: rows::value(part, 2, "part.object")? })
            })
        })
    };
    plans::by_index(|| backend_state::in_plain_style(read))
}

/// Where the query seems to cost much, the server would compile it first, which takes seconds.
fn read(statement: &'static Statement) -> Result<Members, Error> {
    let read = |found: pgrx::spi::SpiTupleTable<'_>| {
        let mut members = Members::new();
        for row in found {
            interrupts::allow();
            let kind = rows::value::<String>(&row, 1, "member.kind")?;
            let object = rows::value::<String>(&row, 2, "member.object")?;
            let part_of = rows::optional::<String>(&row, 3, "member.part_of")?;
            let facts = rows::value::<String>(&row, 4, "member.facts")?;
            let facts = Facts::written(part_of, facts);
            members.insert(Member { kind, object }, Arc::new(facts));
        }
        Ok(members)
    };
    concurrent_drop::while_others_drop(|| {
        let in_plain_style = || backend_state::in_plain_style(|| statement.select(&[], read));
        backend_state::with_setting(c"jit", c"off", in_plain_style)
    })
}

/// The version that pg_extension names. While a version script runs that is already the version
/// the script leads to.
pub fn installed_version() -> Result<String, Error> {
    static VERSION: Statement = Statement::new(
        "SELECT extversion FROM pg_catalog.pg_extension \
         WHERE extname OPERATOR(pg_catalog.=) 'orchestrator_schema'",
    );
    VERSION.select(&[], |rows| Ok(rows.first().get_one::<String>()?))?.ok_or_else(|| {
        Error::new(
            Kind::NotReady,
            "extension orchestrator_schema is not installed in this database",
        )
        .hint("CREATE EXTENSION orchestrator_schema;")
    })
}

/// The role that owns the extension's objects.
pub fn owner() -> Result<pg_sys::Oid, Error> {
    static OWNER: Statement = Statement::new(
        "SELECT n.nspowner FROM pg_catalog.pg_namespace AS n \
         WHERE n.nspname OPERATOR(pg_catalog.=) 'orchestrator'",
    );
    let owner = OWNER.select(&[], statements::one::<pg_sys::Oid>)?;
    owner.ok_or_else(|| Error::new(Kind::NotReady, "schema orchestrator does not exist"))
}
