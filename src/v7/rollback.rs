//! The two checks of version 0.4.0: no object has a name that V7 needs, and no object of V7 is left after
//! a downgrade. Both look at every schema of the database but the archive.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::check::Check;
use super::installed::VERSIONS;
use crate::schema::facts::Member;
use crate::schema::{catalog, manifest};
use crate::server::error::Error;
use crate::server::statements::Statement;
use crate::server::{interrupts, rows, statements};

/// Checks that V7 can be installed.
///
/// Returns: no table named v7_ in any schema but the archive (0), and every name that the versions
/// still to come up to 0.4.3 need is free in schema orchestrator. Since 0.4.0.
#[pg_extern(sql = false, stable)]
#[allow(clippy::type_complexity)]
fn v7_verify_preconditions() -> Result<
    TableIterator<
        'static,
        (
            name!(check_name, String),
            name!(expected, String),
            name!(actual, String),
            name!(passed, bool),
            name!(hint, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let checks = [tables_before()?, names_taken()?];
    Ok(TableIterator::new(checks.into_iter().map(Check::row)))
}

/// Checks that a downgrade to 0.4.0 left nothing named v7_, in any schema but the archive.
///
/// Returns: per kind of object what is left, none expected. Since 0.4.0.
#[pg_extern(sql = false, stable)]
#[allow(clippy::type_complexity)]
fn v7_verify_rollback() -> Result<
    TableIterator<
        'static,
        (
            name!(check_name, String),
            name!(expected, String),
            name!(actual, String),
            name!(passed, bool),
            name!(hint, Option<String>),
        ),
    >,
    ErrorReport,
> {
    let left = leftovers()?;
    let others = ["index", "sequence", "type", "trigger", "constraint"];
    let checks = [
        none_of(&left, "V7 tables left", &["table"]),
        none_of(&left, "V7 views left", &["view"]),
        none_of(&left, "V7 columns left", &["column"]),
        none_of(&left, "V7 functions left", &["function"]),
        none_of(&left, "other V7 objects left", &others),
    ];
    Ok(TableIterator::new(checks.into_iter().map(Check::row)))
}

fn tables_before() -> Result<Check, Error> {
    Ok(none_of(&leftovers()?, "V7 tables in any schema", &["table"]))
}

/// Checks that no object of some kinds is left; the hint drops the first.
fn none_of(left: &[Leftover], name: &'static str, kinds: &[&str]) -> Check {
    let found: Vec<_> = left.iter().filter(|left| kinds.contains(&left.kind.as_str())).collect();
    let names: Vec<String> = found.iter().map(|left| left.object.clone()).collect();
    let hint = found.first().map(|left| left.command.clone());
    Check::none(name, &names).hint(hint.unwrap_or_default())
}

/// One object named v7_ that is not in the archive.
struct Leftover {
    kind: String,
    object: String,
    /// The statement that takes it away.
    command: String,
}

/// Everything named v7_ outside the archive, but the functions that version 0.4.0 itself has.
fn leftovers() -> Result<Vec<Leftover>, Error> {
    static LEFT: Statement = Statement::new(
        "WITH space AS ( \
             SELECT oid, nspname FROM pg_namespace \
             WHERE NOT starts_with(nspname::text, 'pg_') AND nspname NOT IN ('information_schema', 'orchestrator_archive') \
         ), relation AS ( \
             SELECT c.oid, c.relkind, starts_with(c.relname::text, 'v7_') AS is_v7, \
                    format('%I.%I', s.nspname, c.relname) AS name \
             FROM pg_class AS c JOIN space AS s ON s.oid = c.relnamespace \
         ), object (kind, name, command, classid, objid) AS ( \
             SELECT CASE WHEN relkind IN ('r', 'p', 'f') THEN 'table' WHEN relkind IN ('v', 'm') THEN 'view' \
                         WHEN relkind IN ('i', 'I') THEN 'index' WHEN relkind = 'S' THEN 'sequence' ELSE 'type' END, \
                    name, \
                    CASE WHEN relkind IN ('r', 'p', 'f') \
                         THEN format('ALTER TABLE %s RENAME TO another_name; or, when nobody needs its rows, ', name) ELSE '' END \
                    || format('DROP %s %s;', CASE relkind WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'v' THEN 'VIEW' \
                           WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'INDEX' \
                           WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END, name), \
                    'pg_class'::regclass, oid \
             FROM relation AS r WHERE is_v7 AND relkind <> 't' \
               AND NOT EXISTS (SELECT FROM pg_depend AS d JOIN relation AS t ON t.oid = d.refobjid AND t.is_v7 \
                    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.objid = r.oid \
                      AND r.relkind IN ('i', 'I', 'S') AND d.deptype IN ('a', 'i')) \
               AND NOT EXISTS (SELECT FROM pg_index AS x JOIN relation AS t ON t.oid = x.indrelid AND t.is_v7 \
                    WHERE x.indexrelid = r.oid) \
             UNION ALL \
             SELECT 'column', format('%s.%I', r.name, a.attname), \
                    format('ALTER TABLE %s DROP COLUMN %I;', r.name, a.attname), 'pg_class'::regclass, r.oid \
             FROM relation AS r JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped \
             WHERE r.relkind IN ('r', 'p', 'f') AND NOT r.is_v7 AND starts_with(a.attname::text, 'v7_') \
             UNION ALL \
             SELECT 'function', p.oid::regprocedure::text, format('DROP ROUTINE %s;', p.oid::regprocedure), \
                    'pg_proc'::regclass, p.oid \
             FROM pg_proc AS p JOIN space AS s ON s.oid = p.pronamespace WHERE starts_with(p.proname::text, 'v7_') \
             UNION ALL \
             SELECT 'type', format('%I.%I', s.nspname, t.typname), format('DROP TYPE %I.%I;', s.nspname, t.typname), \
                    'pg_type'::regclass, t.oid \
             FROM pg_type AS t JOIN space AS s ON s.oid = t.typnamespace \
             WHERE t.typtype IN ('e', 'd', 'r') AND starts_with(t.typname::text, 'v7_') \
             UNION ALL \
             SELECT 'trigger', format('%s.%I', r.name, t.tgname), format('DROP TRIGGER %I ON %s;', t.tgname, r.name), \
                    'pg_class'::regclass, r.oid \
             FROM relation AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid \
             WHERE NOT r.is_v7 AND NOT t.tgisinternal AND starts_with(t.tgname::text, 'v7_') \
             UNION ALL \
             SELECT 'constraint', format('%s.%I', r.name, c.conname), \
                    format('ALTER TABLE %s DROP CONSTRAINT %I;', r.name, c.conname), 'pg_class'::regclass, r.oid \
             FROM relation AS r JOIN pg_constraint AS c ON c.conrelid = r.oid \
             WHERE NOT r.is_v7 AND r.relkind IN ('r', 'p', 'f') AND starts_with(c.conname::text, 'v7_') \
         ) \
         SELECT o.kind, o.name, o.command, EXISTS ( \
             SELECT FROM pg_depend AS d JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid \
             WHERE e.extname = 'orchestrator_schema' AND d.deptype = 'e' AND d.classid = o.classid AND d.objid = o.objid) \
         FROM object AS o ORDER BY o.kind, o.name",
    );
    const DOWN: &str = "ALTER EXTENSION orchestrator_schema UPDATE TO '0.4.0';";
    let bottom = manifest::members_at(manifest::position("0.4.0")?)?;
    let above = manifest::position(&catalog::installed_version()?)? > manifest::position("0.4.0")?;
    LEFT.select(&[], |found| {
        let mut left = Vec::new();
        for row in found {
            interrupts::allow();
            let kind = rows::value::<String>(&row, 1, "object.kind")?;
            let object = rows::value::<String>(&row, 2, "object.name")?;
            let ours = rows::value::<bool>(&row, 4, "object.ours")?;
            if ours && bottom.contains_key(&Member { kind: kind.clone(), object: object.clone() }) {
                continue;
            }
            let command = if ours && above {
                DOWN.to_owned()
            } else {
                rows::value(&row, 3, "object.command")?
            };
            left.push(Leftover { kind, object, command });
        }
        Ok(left)
    })
}

/// Taken names in schema orchestrator that V7 versions above the installed one need.
fn names_taken() -> Result<Check, Error> {
    static TAKEN: Statement = Statement::new(
        "SELECT c.name FROM ( \
             SELECT format('%I.%I', n.nspname, r.relname) FROM pg_class AS r \
             JOIN pg_namespace AS n ON n.oid = r.relnamespace WHERE n.nspname = 'orchestrator' \
             UNION \
             SELECT format('%I.%I', n.nspname, t.typname) FROM pg_type AS t \
             JOIN pg_namespace AS n ON n.oid = t.typnamespace WHERE n.nspname = 'orchestrator' AND t.typelem = 0 \
             UNION \
             SELECT p.oid::regprocedure::text FROM pg_proc AS p \
             JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'orchestrator' \
             UNION \
             SELECT format('%I.%I.%I', n.nspname, r.relname, o.name) FROM pg_class AS r \
             JOIN pg_namespace AS n ON n.oid = r.relnamespace, \
             LATERAL (SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = r.oid AND NOT a.attisdropped \
                      UNION SELECT k.conname FROM pg_constraint AS k WHERE k.conrelid = r.oid \
                      UNION SELECT t.tgname FROM pg_trigger AS t WHERE t.tgrelid = r.oid) AS o (name) \
             WHERE n.nspname = 'orchestrator' AND r.relkind IN ('r', 'v', 'm', 'p', 'f')) AS c (name) \
         WHERE c.name = ANY ($1) ORDER BY 1",
    );
    let installed = manifest::position(&catalog::installed_version()?)?;
    let present = manifest::members_at(installed)?;
    let mut needed = Vec::new();
    for version in VERSIONS {
        let place = manifest::position(version)?;
        if place > installed {
            let members = manifest::members_at(place)?.into_keys();
            needed.extend(
                members
                    .filter(|member| !present.contains_key(member) && stands_alone(&member.kind))
                    .map(|member| member.object),
            );
        }
    }
    needed.sort();
    needed.dedup();
    let taken = TAKEN.select(&[needed.into()], statements::column::<String>)?;
    Ok(Check::none("names of the V7 versions that are taken", &taken).hint(
        "Rename or drop what has these names; \\d orchestrator.* and \\df orchestrator.* show it.",
    ))
}

/// Whether a member of that kind takes a name of its own.
fn stands_alone(kind: &str) -> bool {
    ["table", "view", "index", "sequence", "function", "column", "constraint", "trigger"]
        .contains(&kind)
}
