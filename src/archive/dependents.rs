//! What users built on a table: it stops a downgrade before anything has changed, because taking
//! the table away would break it or drop it.

use pgrx::prelude::*;

use super::table::Table;
use crate::catalog::Member;
use crate::error::{Error, Kind};
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

/// Refuses to take away a table that something else depends on.
pub fn refuse(table: &Table) -> Result<(), Error> {
    let dependents = of(table)?;
    if dependents.is_empty() {
        return Ok(());
    }
    let descriptions: Vec<_> =
        dependents.into_iter().map(|dependent| dependent.description).collect();
    Err(Error::new(
        Kind::Dependents,
        format!("cannot archive {table} because other objects depend on it"),
    )
    .detail(format!("They are: {}.", descriptions.join("; ")))
    .hint(
        "Drop or change them before the downgrade, and create them again after the next upgrade.",
    ))
}
