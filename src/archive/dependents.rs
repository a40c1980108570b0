//! What users built on a member: it stops a downgrade before anything has changed, because taking
//! the member away would break it or drop it.

use pgrx::prelude::*;

use super::table::Table;
use crate::catalog::{self, Member};
use crate::dynamic::{self, quote};
use crate::error::{Error, Kind};
use crate::manifest;
use crate::rows;
use crate::verify::Additions;

/// What needs object $2 of catalog $1, and of a table only its columns $3 when these are given: its
/// description; whether it is a member of the extension, or a part of one that is not among $4.
///
/// Parts of the object itself are left out: of a table they go with it, of columns their defaults.
const DEPENDENTS: &str = "WITH needed (classid, objid) AS ( \
         SELECT $1::oid, $2::oid \
         UNION ALL SELECT 'pg_class'::regclass::oid, indexrelid FROM pg_index \
                   WHERE $1 = 'pg_class'::regclass AND $3::text[] IS NULL AND indrelid = $2 \
         UNION ALL SELECT 'pg_type'::regclass::oid, unnest(ARRAY[t.oid, t.typarray]) FROM pg_class AS c \
                   JOIN pg_type AS t ON t.oid = c.reltype \
                   WHERE $1 = 'pg_class'::regclass AND $3 IS NULL AND c.oid = $2 \
     ), dependent AS ( \
         SELECT DISTINCT d.classid, d.objid FROM pg_depend AS d \
         JOIN needed AS n ON d.refclassid = n.classid AND d.refobjid = n.objid \
         LEFT JOIN pg_attribute AS a ON $1 = 'pg_class'::regclass AND a.attrelid = $2 AND a.attnum = d.refobjsubid \
         WHERE (d.deptype = 'n' OR d.deptype = 'a' AND $3 IS NOT NULL) \
           AND ($3 IS NULL OR a.attname = ANY ($3)) \
           AND (d.classid, d.objid) NOT IN (SELECT classid, objid FROM needed) \
     ) \
     SELECT pg_describe_object(o.classid, o.objid, 0), \
            bool_and(EXISTS (SELECT FROM pg_depend AS m \
                             JOIN pg_extension AS e ON m.refclassid = 'pg_extension'::regclass AND m.refobjid = e.oid \
                             WHERE e.extname = 'orchestrator_schema' AND m.deptype = 'e' \
                               AND m.classid = w.classid AND m.objid = w.objid) \
                     AND NOT coalesce(part.label = ANY ($4), false)) \
     FROM dependent AS d \
     LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid \
     LEFT JOIN pg_constraint AS c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid \
     LEFT JOIN pg_trigger AS t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid \
     LEFT JOIN pg_attrdef AS f ON d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid \
     LEFT JOIN pg_policy AS p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid \
     LEFT JOIN pg_index AS x ON d.classid = 'pg_class'::regclass AND x.indexrelid = d.objid \
     LEFT JOIN pg_class AS i ON i.oid = x.indexrelid \
     LEFT JOIN pg_attribute AS a ON a.attrelid = f.adrelid AND a.attnum = f.adnum \
     LEFT JOIN pg_class AS h \
            ON h.oid = coalesce(r.ev_class, nullif(c.conrelid, 0), t.tgrelid, f.adrelid, p.polrelid, x.indrelid) \
     LEFT JOIN pg_namespace AS n ON n.oid = h.relnamespace, \
     LATERAL (SELECT CASE WHEN h.oid IS NULL OR r.rulename = '_RETURN' THEN NULL \
                          WHEN i.oid IS NOT NULL THEN format('index %I.%I', n.nspname, i.relname) \
                          ELSE format('%s %I.%I.%I', \
                                      CASE WHEN c.oid IS NOT NULL THEN 'constraint' WHEN t.oid IS NOT NULL THEN 'trigger' \
                                           WHEN p.oid IS NOT NULL THEN 'policy' WHEN r.oid IS NOT NULL THEN 'rule' ELSE 'column' END, \
                                      n.nspname, h.relname, coalesce(c.conname, t.tgname, p.polname, r.rulename, a.attname)) END) \
             AS part (label), \
     LATERAL (SELECT CASE WHEN h.oid IS NULL THEN d.classid ELSE 'pg_class'::regclass::oid END, coalesce(h.oid, d.objid)) \
             AS w (classid, objid), \
     LATERAL (SELECT CASE WHEN r.rulename = '_RETURN' THEN w.classid ELSE d.classid END, \
                     CASE WHEN r.rulename = '_RETURN' THEN w.objid ELSE d.objid END) AS o (classid, objid) \
     WHERE CASE WHEN $3 IS NULL THEN (w.classid, w.objid) <> ($1, $2) \
                ELSE NOT coalesce(f.adrelid = $2 AND a.attname = ANY ($3), false) END \
     GROUP BY 1 \
     UNION \
     SELECT 'publication ' || quote_ident(p.pubname), false FROM pg_publication_rel AS m \
     JOIN pg_publication AS p ON p.oid = m.prpubid WHERE $1 = 'pg_class'::regclass AND $3 IS NULL AND m.prrelid = $2 \
     ORDER BY 1";

/// Something outside a member that depends on it.
pub struct Dependent {
    pub description: String,
    /// Whether it is a member of the extension, or a part of one.
    pub ours: bool,
}

/// What may be needed: an object of a catalog, whole or only some columns of it.
struct Needed<'a> {
    catalog: &'static str,
    oid: pg_sys::Oid,
    columns: Option<&'a [String]>,
}

impl Needed<'_> {
    fn by(&self, additions: &Additions) -> Result<Vec<Dependent>, Error> {
        const CATALOG: &str = "SELECT $1::regclass::oid";
        let catalog = dynamic::value::<pg_sys::Oid>(CATALOG, &[self.catalog.into()])?;
        let columns = self.columns.map(<[String]>::to_vec);
        let arguments =
            [catalog.into(), self.oid.into(), columns.into(), additions.labels().into()];
        Spi::connect_mut(|client| {
            let mut found = Vec::new();
            for row in client.update(DEPENDENTS, None, &arguments)? {
                found.push(Dependent {
                    description: rows::value(&row, 1, "dependent.description")?,
                    ours: rows::value(&row, 2, "dependent.ours")?,
                });
            }
            Ok(found)
        })
    }
}

/// Everything that depends on a table or a view and would be lost or broken without it: other
/// objects, and what users added to it.
pub fn of(table: &Table, additions: &Additions) -> Result<Vec<Dependent>, Error> {
    let needed = Needed { catalog: "pg_class", oid: table.oid, columns: None };
    let mut dependents = needed.by(additions)?;
    for Member { kind, object } in additions.to(&table.to_string()) {
        dependents.push(Dependent { description: format!("{kind} {object}"), ours: false });
    }
    Ok(dependents)
}

/// Everything that depends on columns of a table and would be lost or broken without them. What
/// the version itself built on them goes and comes with them.
pub fn of_columns(
    table: &Table,
    columns: &[String],
    additions: &Additions,
) -> Result<Vec<Dependent>, Error> {
    Needed { catalog: "pg_class", oid: table.oid, columns: Some(columns) }.by(additions)
}

/// Everything that depends on a function, known by its signature.
pub fn of_function(signature: &str, additions: &Additions) -> Result<Vec<Dependent>, Error> {
    const FUNCTION: &str = "SELECT to_regprocedure($1)::oid";
    match dynamic::value::<pg_sys::Oid>(FUNCTION, &[signature.into()])? {
        Some(oid) => Needed { catalog: "pg_proc", oid, columns: None }.by(additions),
        None => Ok(Vec::new()),
    }
}

/// Refuses to take away a table that something else depends on. All parts of a table that no version
/// has are its own: a down script made it a moment ago, or a user did.
pub fn refuse(table: &Table) -> Result<(), Error> {
    let version = manifest::position(&manifest::version_left()?)?;
    let is_of_the_version = manifest::introduced("table", &table.to_string())? <= version;
    let additions = if is_of_the_version { Additions::find()? } else { Additions::none() };
    let dependents = of(table, &additions)?;
    refuse_over(&format!("archive {table}"), descriptions(dependents))
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
    let mut theirs = of_columns(table, &going, &Additions::find()?)?;
    theirs.retain(|dependent| !dependent.ours);
    refuse_over(&format!("archive {table} ({})", going.join(", ")), descriptions(theirs))
}

fn descriptions(dependents: Vec<Dependent>) -> Vec<String> {
    dependents.into_iter().map(|dependent| dependent.description).collect()
}

/// Raises the error that names what depends on a thing, so that this cannot be done.
pub fn refuse_over(step: &str, dependents: Vec<String>) -> Result<(), Error> {
    if dependents.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        Kind::Dependents,
        format!("cannot {step} because other objects depend on it"),
    )
    .detail(format!("They are: {}.", dependents.join("; ")))
    .hint(
        "Drop or change them before the downgrade, and create them again after the next upgrade.",
    ))
}
