//! What users built on a table: it stops a downgrade before anything has changed, because taking
//! the table away would break it or drop it.

use pgrx::prelude::*;

use super::table::Table;
use crate::catalog::{self, Member};
use crate::dynamic::quote;
use crate::error::{Error, Kind};
use crate::manifest;
use crate::verify;

/// Objects outside the table that need it, as the server describes them.
const DEPENDENTS: &str = "WITH needed AS ( \
         SELECT 'pg_class'::regclass::oid AS classid, $1 AS objid \
         UNION ALL SELECT 'pg_class'::regclass::oid, indexrelid FROM pg_index WHERE indrelid = $1 \
         UNION ALL SELECT 'pg_type'::regclass::oid, reltype FROM pg_class WHERE oid = $1 \
         UNION ALL SELECT 'pg_type'::regclass::oid, t.typarray FROM pg_class AS c \
                   JOIN pg_type AS t ON t.oid = c.reltype WHERE c.oid = $1 \
     ), dependent AS ( \
         SELECT d.classid, d.objid FROM pg_depend AS d \
         JOIN needed AS n ON d.refclassid = n.classid AND d.refobjid = n.objid \
         WHERE d.deptype = 'n' AND (d.classid, d.objid) NOT IN (SELECT classid, objid FROM needed) \
     ) \
     SELECT DISTINCT CASE d.classid WHEN 'pg_constraint'::regclass THEN pg_describe_object(d.classid, d.objid, 0) \
                          ELSE pg_describe_object(o.classid, o.objid, 0) END, \
            EXISTS (SELECT FROM pg_depend AS m \
                    JOIN pg_extension AS e ON m.refclassid = 'pg_extension'::regclass AND m.refobjid = e.oid \
                    WHERE e.extname = 'orchestrator_schema' AND m.deptype = 'e' \
                      AND m.classid = o.classid AND m.objid = o.objid) \
     FROM dependent AS d \
     LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid \
     LEFT JOIN pg_constraint AS c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid \
     LEFT JOIN pg_trigger AS t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid \
     LEFT JOIN pg_attrdef AS f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid \
     LEFT JOIN pg_policy AS p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid, \
     LATERAL (SELECT coalesce(r.ev_class, c.conrelid, t.tgrelid, f.adrelid, p.polrelid)) AS part (relation), \
     LATERAL (SELECT CASE WHEN part.relation IS NULL THEN d.classid ELSE 'pg_class'::regclass END, \
                     coalesce(part.relation, d.objid)) AS o (classid, objid) \
     WHERE o.objid <> $1 \
     UNION \
     SELECT 'publication ' || quote_ident(p.pubname), false FROM pg_publication_rel AS m \
     JOIN pg_publication AS p ON p.oid = m.prpubid WHERE m.prrelid = $1 \
     ORDER BY 1";

/// What needs columns $2 of table $1: kind and name of an index, a constraint, a trigger, a policy
/// or a rule of the table itself, NULLs for everything else; its description; whether it is a
/// member of the extension, or a part of one. The columns' own defaults are left out.
const DEPENDENTS_OF_COLUMNS: &str = "WITH dependent AS ( \
         SELECT DISTINCT d.classid, d.objid FROM pg_depend AS d \
         JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
         WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND a.attname = ANY ($2) \
           AND d.deptype IN ('n', 'a') \
     ) \
     SELECT part.kind, part.object, pg_describe_object(o.classid, o.objid, 0), \
            EXISTS (SELECT FROM pg_depend AS m \
                    JOIN pg_extension AS e ON m.refclassid = 'pg_extension'::regclass AND m.refobjid = e.oid \
                    WHERE e.extname = 'orchestrator_schema' AND m.deptype = 'e' \
                      AND m.classid = o.classid AND m.objid = o.objid) \
     FROM dependent AS d \
     LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid \
     LEFT JOIN pg_constraint AS c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid \
     LEFT JOIN pg_trigger AS t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid \
     LEFT JOIN pg_attrdef AS f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid \
     LEFT JOIN pg_policy AS p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid \
     LEFT JOIN pg_class AS i ON d.classid = 'pg_class'::regclass AND i.oid = d.objid AND i.relkind = 'i' \
     LEFT JOIN pg_namespace AS n ON n.oid = i.relnamespace, \
     LATERAL (SELECT CASE WHEN i.oid IS NOT NULL THEN 'index' \
                          WHEN c.conrelid = $1 THEN 'constraint' \
                          WHEN t.tgrelid = $1 THEN 'trigger' \
                          WHEN p.polrelid = $1 THEN 'policy' \
                          WHEN r.ev_class = $1 THEN 'rule' END, \
                     CASE WHEN i.oid IS NOT NULL THEN format('%I.%I', n.nspname, i.relname) \
                          ELSE format('%s.%I', $3, coalesce(c.conname, t.tgname, p.polname, r.rulename)) END) \
             AS part (kind, object), \
     LATERAL (SELECT coalesce(r.ev_class, c.conrelid, t.tgrelid, f.adrelid, p.polrelid)) AS owner (relation), \
     LATERAL (SELECT CASE WHEN owner.relation IS NULL OR owner.relation = $1 THEN d.classid ELSE 'pg_class'::regclass END, \
                     CASE WHEN owner.relation = $1 THEN d.objid ELSE coalesce(owner.relation, d.objid) END) \
             AS o (classid, objid) \
     WHERE NOT EXISTS (SELECT FROM pg_attribute AS a \
                       WHERE a.attrelid = $1 AND a.attnum = f.adnum AND a.attname = ANY ($2)) \
     ORDER BY 3";

/// Something outside a table that depends on it.
pub struct Dependent {
    pub description: String,
    /// Whether it is a member of the extension, or a part of one.
    pub ours: bool,
}

/// Everything that depends on a table and would be lost or broken without it: other objects, and
/// what users added to the table itself.
pub fn of(table: &Table) -> Result<Vec<Dependent>, Error> {
    let mut dependents = Spi::connect_mut(|client| {
        let mut found = Vec::new();
        for row in client.update(DEPENDENTS, None, &[table.oid.into()])? {
            found.push(Dependent {
                description: row.get(1)?.unwrap_or_default(),
                ours: row.get(2)?.unwrap_or_default(),
            });
        }
        Ok::<_, Error>(found)
    })?;
    for Member { kind, object } in verify::additions_to(&table.to_string())? {
        dependents.push(Dependent { description: format!("{kind} {object}"), ours: false });
    }
    Ok(dependents)
}

/// Everything that depends on columns of a table and would be lost or broken without them. What
/// the version itself built on them goes and comes with them.
pub fn of_columns(table: &Table, columns: &[String]) -> Result<Vec<Dependent>, Error> {
    let name = table.to_string();
    let additions = verify::additions_to(&name)?;
    let arguments = [table.oid.into(), columns.to_vec().into(), name.as_str().into()];
    Spi::connect_mut(|client| {
        let mut found = Vec::new();
        for row in client.update(DEPENDENTS_OF_COLUMNS, None, &arguments)? {
            let part = row.get::<String>(1)?.zip(row.get::<String>(2)?);
            let ours = match part {
                Some((kind, object)) => !additions.contains(&Member { kind, object }),
                None => row.get(4)?.unwrap_or_default(),
            };
            found.push(Dependent { description: row.get(3)?.unwrap_or_default(), ours });
        }
        Ok(found)
    })
}

/// Refuses to take away a table that something else depends on.
pub fn refuse(table: &Table) -> Result<(), Error> {
    refuse_over(&table.to_string(), of(table)?)
}

/// Refuses to take away columns that something of a user's depends on. A column that the version
/// a down script leads to has as well does not go.
pub fn refuse_columns(table: &Table, columns: &[String]) -> Result<(), Error> {
    let mut going = Vec::new();
    for column in columns {
        let member = Member { kind: "column".into(), object: format!("{table}.{}", quote(column)) };
        if !catalog::in_script() || !manifest::has(&catalog::installed_version()?, &member)? {
            going.push(column.clone());
        }
    }
    let theirs = of_columns(table, &going)?.into_iter().filter(|dependent| !dependent.ours);
    refuse_over(&format!("{table} ({})", going.join(", ")), theirs.collect())
}

fn refuse_over(what: &str, dependents: Vec<Dependent>) -> Result<(), Error> {
    if dependents.is_empty() {
        return Ok(());
    }
    let descriptions: Vec<_> =
        dependents.into_iter().map(|dependent| dependent.description).collect();
    Err(Error::new(
        Kind::Dependents,
        format!("cannot archive {what} because other objects depend on it"),
    )
    .detail(format!("They are: {}.", descriptions.join("; ")))
    .hint(
        "Drop or change them before the downgrade, and create them again after the next upgrade.",
    ))
}
