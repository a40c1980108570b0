//! What users built on a member, or on an archive: it stops a downgrade, or an upgrade, before anything
//! has changed, because taking the member or the archive away would break it or drop it.

use std::collections::BTreeMap;

use pgrx::prelude::*;

use super::table::Table;
use crate::schema::catalog::Member;
use crate::schema::manifest;
use crate::schema::verify::Additions;
use crate::server::backend_state;
use crate::server::backend_state::with_setting;
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{dynamic_sql, interrupts, rows, statements};

/// What needs object $2 of catalog $1, and of a table only its columns $3 when these are given: its
/// description; whether it is a member of the extension, or a part of one that is not among $4; the
/// statement that frees the object of it without loss, where there is one.
///
/// Parts of the object itself are left out: of a table they go with it, of columns their defaults.
/// A table is needed together with its indexes, the sequences that it owns, and their types.
static DEPENDENTS: Statement = Statement::new(
    "WITH owned AS ( \
         SELECT s.oid FROM pg_depend AS d JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S' \
         WHERE $1 = 'pg_class'::regclass AND $3::text[] IS NULL AND d.classid = $1 \
           AND d.refclassid = $1 AND d.refobjid = $2 AND d.deptype IN ('a', 'i') \
     ), needed (classid, objid) AS ( \
         SELECT $1::oid, $2::oid \
         UNION ALL SELECT $1, oid FROM owned \
         UNION ALL SELECT 'pg_class'::regclass::oid, indexrelid FROM pg_index \
                   WHERE $1 = 'pg_class'::regclass AND $3::text[] IS NULL AND indrelid = $2 \
         UNION ALL SELECT 'pg_type'::regclass::oid, unnest(ARRAY[t.oid, t.typarray]) FROM pg_class AS c \
                   JOIN pg_type AS t ON t.oid = c.reltype \
                   WHERE $1 = 'pg_class'::regclass AND $3 IS NULL AND (c.oid = $2 OR c.oid IN (SELECT oid FROM owned)) \
     ), dependent AS ( \
         SELECT DISTINCT d.classid, d.objid, d.objsubid FROM pg_depend AS d \
         JOIN needed AS n ON d.refclassid = n.classid AND d.refobjid = n.objid \
         LEFT JOIN pg_attribute AS a ON $1 = 'pg_class'::regclass AND a.attrelid = $2 AND a.attnum = d.refobjsubid \
         WHERE (d.deptype = 'n' OR d.deptype = 'a' AND $3 IS NOT NULL) \
           AND ($3 IS NULL OR a.attname = ANY ($3)) \
           AND (d.classid, d.objid) NOT IN (SELECT classid, objid FROM needed) \
           AND NOT (d.classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_inherits AS i \
                                                                 WHERE i.inhparent = $2 AND i.inhrelid = d.objid)) \
     ) \
     SELECT pg_describe_object(o.classid, o.objid, o.objsubid), \
            bool_and(EXISTS (SELECT FROM pg_depend AS m \
                             JOIN pg_extension AS e ON m.refclassid = 'pg_extension'::regclass AND m.refobjid = e.oid \
                             WHERE e.extname = 'orchestrator_schema' AND m.deptype = 'e' \
                               AND m.classid = w.classid AND m.objid = w.objid) \
                     AND NOT coalesce(part.label = ANY ($4), false)), \
            min(CASE WHEN f.oid IS NOT NULL AND a.attgenerated = '' \
                          THEN format('ALTER TABLE %I.%I ALTER COLUMN %I DROP DEFAULT;', n.nspname, h.relname, a.attname) \
                     WHEN c.contype = 'f' THEN format('ALTER TABLE %I.%I DROP CONSTRAINT %I;', n.nspname, h.relname, c.conname) END) \
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
                     CASE WHEN r.rulename = '_RETURN' THEN w.objid ELSE d.objid END, \
                     CASE WHEN h.oid IS NULL THEN d.objsubid ELSE 0 END) AS o (classid, objid, objsubid) \
     WHERE CASE WHEN $3 IS NULL THEN (w.classid, w.objid) <> ($1, $2) \
                ELSE NOT coalesce(f.adrelid = $2 AND a.attname = ANY ($3), false) END \
     GROUP BY 1 ORDER BY 1",
);

/// What is tied to table $1, or to its columns $2 when these are given, otherwise than by needing it,
/// with the statement that unties it without loss.
///
/// Whatever stores rows of the table ($2 given) keeps the server from adding columns to it again, and
/// would lose what it has of columns that go. What inherits from it loses such columns with it.
static TIES: Statement = Statement::new(
    "WITH RECURSIVE row_type (oid) AS ( \
         SELECT unnest(ARRAY[t.oid, t.typarray]) FROM pg_type AS t WHERE t.typrelid = $1 \
         UNION \
         SELECT coalesce(c.reltype, d.objid) FROM row_type AS r \
         JOIN pg_depend AS d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = r.oid \
         LEFT JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind = 'c' \
         WHERE d.classid = 'pg_type'::regclass OR c.oid IS NOT NULL \
     ) \
     SELECT pg_describe_object('pg_class'::regclass, c.oid, d.objsubid), \
            CASE WHEN c.relkind = 'r' THEN format('ALTER TABLE %1$s ALTER COLUMN %2$I TYPE jsonb USING to_jsonb(%2$I);', \
                                                  c.oid::regclass, a.attname) END \
     FROM row_type AS t JOIN pg_depend AS d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = t.oid \
     JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind IN ('r', 'm', 'p', 'f') \
     JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND a.attnum > 0 \
     WHERE c.oid <> $1 \
     UNION \
     SELECT format('table %s, which inherits from %s', i.inhrelid::regclass, i.inhparent::regclass), \
            format('ALTER TABLE %s NO INHERIT %s;', i.inhrelid::regclass, i.inhparent::regclass) \
     FROM pg_inherits AS i WHERE i.inhparent = $1 \
     UNION \
     SELECT format('table %s, from which %s inherits', i.inhparent::regclass, i.inhrelid::regclass), \
            format(CASE WHEN c.relispartition THEN 'ALTER TABLE %2$s DETACH PARTITION %1$s;' \
                        ELSE 'ALTER TABLE %1$s NO INHERIT %2$s;' END, i.inhrelid::regclass, i.inhparent::regclass) \
     FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid \
     WHERE i.inhrelid = $1 AND ($2::text[] IS NULL OR EXISTS ( \
         SELECT FROM pg_attribute AS a WHERE a.attrelid = $1 AND a.attname = ANY ($2) AND a.attinhcount > 0)) \
     UNION \
     SELECT 'publication ' || quote_ident(p.pubname), format('ALTER PUBLICATION %I DROP TABLE %s;', p.pubname, m.prrelid::regclass) \
     FROM pg_publication_rel AS m JOIN pg_publication AS p ON p.oid = m.prpubid WHERE $2 IS NULL AND m.prrelid = $1 \
     UNION \
     SELECT 'subscription ' || quote_ident(s.subname), NULL \
     FROM pg_subscription_rel AS m JOIN pg_subscription AS s ON s.oid = m.srsubid WHERE $2 IS NULL AND m.srrelid = $1 \
     UNION \
     SELECT format('sequence %s', s.oid::regclass), format('ALTER SEQUENCE %s OWNED BY NONE;', s.oid::regclass) \
     FROM pg_depend AS d JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S' \
     JOIN pg_attribute AS o ON o.attrelid = $1 AND o.attnum = d.refobjsubid \
     WHERE ($2 IS NULL OR o.attname = ANY ($2)) AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass \
       AND d.refobjid = $1 AND d.deptype = 'a' AND NOT EXISTS ( \
           SELECT FROM pg_attrdef AS f \
           JOIN pg_depend AS u ON u.classid = 'pg_attrdef'::regclass AND u.objid = f.oid \
           WHERE f.adrelid = $1 AND f.adnum = d.refobjsubid AND u.refclassid = 'pg_class'::regclass AND u.refobjid = s.oid) \
     ORDER BY 1",
);

/// Something outside a member that depends on it.
pub struct Dependent {
    pub description: String,
    /// Whether it is a member of the extension, or a part of one.
    pub ours: bool,
    /// The statement that frees the member of it without loss, where there is one.
    pub undo: Option<String>,
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
        let catalog = dynamic_sql::value::<pg_sys::Oid>(CATALOG, &[self.catalog.into()])?;
        let columns = self.columns.map(<[String]>::to_vec);
        let arguments =
            [catalog.into(), self.oid.into(), columns.clone().into(), additions.labels().into()];
        // To plan these takes longer than to run them, and the server would do it for each table.
        let found = with_setting(c"plan_cache_mode", c"force_generic_plan", || {
            let mut found = BTreeMap::new();
            DEPENDENTS.update(&arguments, |dependents| {
                for row in dependents {
                    interrupts::allow();
                    let description: String = rows::value(&row, 1, "dependent.description")?;
                    let ours = rows::value(&row, 2, "dependent.ours")?;
                    let undo = rows::optional(&row, 3, "dependent.undo")?;
                    found.insert(description.clone(), Dependent { description, ours, undo });
                }
                Ok(())
            })?;
            if self.catalog == "pg_class" {
                TIES.update(&[self.oid.into(), columns.into()], |ties| {
                    for row in ties {
                        interrupts::allow();
                        let description: String = rows::value(&row, 1, "tie.description")?;
                        let undo = rows::optional(&row, 2, "tie.undo")?;
                        found.insert(
                            description.clone(),
                            Dependent { description, ours: false, undo },
                        );
                    }
                    Ok(())
                })?;
            }
            Ok::<_, Error>(found)
        })?;
        Ok(found.into_values().collect())
    }
}

/// Everything that depends on a table or a view and would be lost or broken without it: other
/// objects, and what users added to it.
pub fn of(table: &Table, additions: &Additions) -> Result<Vec<Dependent>, Error> {
    let needed = Needed { catalog: "pg_class", oid: table.oid, columns: None };
    let mut dependents = needed.by(additions)?;
    for Member { kind, object } in additions.to(&table.to_string()) {
        let description = format!("{kind} {object}");
        dependents.push(Dependent { description, ours: false, undo: None });
    }
    Ok(dependents)
}

/// Everything that depends on an archive, and would be lost or broken when its rows come back.
pub fn of_archive(archive: &Table) -> Result<Vec<Dependent>, Error> {
    Needed { catalog: "pg_class", oid: archive.oid, columns: None }.by(&Additions::none())
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

/// Those of the functions, known by their signatures, on which anything depends at all.
pub fn depended_on(functions: Vec<String>) -> Result<Vec<String>, Error> {
    static DEPENDED_ON: Statement = Statement::new(
        "SELECT f.signature FROM unnest($1) AS f (signature) \
         WHERE EXISTS (SELECT FROM pg_depend AS d WHERE d.refclassid = 'pg_proc'::regclass \
                       AND d.refobjid = to_regprocedure(f.signature)) ORDER BY 1",
    );
    DEPENDED_ON.update(&[functions.into()], statements::column::<String>)
}

/// Everything that depends on a function, known by its signature.
pub fn of_function(signature: &str, additions: &Additions) -> Result<Vec<Dependent>, Error> {
    const FUNCTION: &str = "SELECT to_regprocedure($1)::oid";
    match dynamic_sql::value::<pg_sys::Oid>(FUNCTION, &[signature.into()])? {
        Some(oid) => Needed { catalog: "pg_proc", oid, columns: None }.by(additions),
        None => Ok(Vec::new()),
    }
}

/// Refuses to take away a table that something else depends on. All parts of a table that no version
/// has are its own: a user made it. A down script has asked for all its tables at its beginning, and
/// has locked them since.
pub fn refuse(table: &Table) -> Result<(), Error> {
    if backend_state::in_script() {
        return Ok(());
    }
    let version = manifest::position(&manifest::version_left()?)?;
    let is_of_the_version = manifest::introduced("table", &table.to_string())? <= version;
    let additions = if is_of_the_version { Additions::find()? } else { Additions::none() };
    let dependents = of(table, &additions)?;
    refuse_over(&format!("archive {table}"), DOWN, dependents)
}

/// Refuses to take away columns that something of a user's depends on. A down script has asked for all
/// its columns at its beginning, and has locked their tables since.
pub fn refuse_columns(table: &Table, columns: &[String]) -> Result<(), Error> {
    if backend_state::in_script() {
        return Ok(());
    }
    let mut theirs = of_columns(table, columns, &Additions::find()?)?;
    theirs.retain(|dependent| !dependent.ours);
    refuse_over(&format!("archive {table} ({})", columns.join(", ")), DOWN, theirs)
}

/// The next step where something is in the way of a downgrade.
pub const DOWN: &str =
    "Drop or change them before the downgrade, and create them again after the next upgrade.";

/// The next step where something on an archive is in the way of an upgrade.
pub const UP: &str = "Drop or change them before the upgrade, and create them again on the tables of schema orchestrator after it.";

/// Raises the error that names what depends on a thing, so that this cannot be done.
pub fn refuse_over(step: &str, hint: &str, dependents: Vec<Dependent>) -> Result<(), Error> {
    if dependents.is_empty() {
        return Ok(());
    }
    let mut hint = hint.to_owned();
    let undo: Vec<_> = dependents.iter().filter_map(|each| each.undo.as_deref()).collect();
    if !undo.is_empty() {
        hint.push_str(&format!(
            " These statements free them, and no row is lost: {}",
            undo.join(" ")
        ));
    }
    let names: Vec<_> = dependents.iter().map(|each| each.description.as_str()).collect();
    Err(Error::new(Kind::Dependents, format!("cannot {step} because other objects depend on it"))
        .detail(format!("They are: {}.", names.join("; ")))
        .hint(hint))
}
