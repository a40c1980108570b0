//! A table as archiving sees it: its columns, its key, and the conditions that its rows satisfy.

use std::fmt;

use pgrx::prelude::*;

use crate::server::dynamic_sql::{self, quote};
use crate::server::error::{Error, Kind};
use crate::server::reg_types::RegClass;
use crate::server::statements::Statement;
use crate::server::{rows, statements};

/// The sequences that the table $1 owns.
pub const OWNED_SEQUENCES: &str = "SELECT d.objid FROM pg_depend AS d JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S' \
     WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 \
       AND d.deptype IN ('a', 'i')";

/// A table by its identifier; shown as its qualified, quoted name.
#[derive(Clone, Debug)]
pub struct Table {
    pub oid: pg_sys::Oid,
    pub schema: String,
    pub name: String,
}

/// A column that can be written.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    pub type_name: String,
    pub not_null: bool,
    /// The expression of its default.
    pub default: Option<String>,
    /// Whether the server numbers its rows.
    pub is_identity: bool,
}

/// A foreign key of a table: its own columns, and the table and columns that they refer to.
pub struct ForeignKey {
    pub columns: Vec<String>,
    pub parent: Table,
    pub parent_columns: Vec<String>,
    /// Whether it is ON DELETE SET NULL: a row may outlive its parent.
    pub outlives_parent: bool,
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", quote(&self.schema), quote(&self.name))
    }
}

impl Table {
    /// The table of schema orchestrator that `relation` names.
    ///
    /// Errors: P0002 no such relation, 22023 not a table, or of another schema.
    pub fn of_schema_orchestrator(relation: RegClass) -> Result<Table, Error> {
        let table = Table::find(relation.0)?.ok_or_else(|| {
            Error::new(
                Kind::NotFound,
                format!("relation with OID {} does not exist", relation.0.to_u32()),
            )
        })?;
        if table.schema != "orchestrator" {
            return Err(Error::new(
                Kind::InvalidValue,
                format!("{table} is not in schema orchestrator"),
            )
            .hint("Only tables of the extension's own schema are archived and restored."));
        }
        if table.kind()? != "r" {
            return Err(Error::new(
                Kind::InvalidValue,
                format!("{table} is not an ordinary table"),
            ));
        }
        Ok(table)
    }

    /// The relation with that identifier.
    pub fn find(oid: pg_sys::Oid) -> Result<Option<Table>, Error> {
        static NAME: Statement = Statement::new(
            "SELECT n.nspname::text, c.relname::text FROM pg_class AS c \
             JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = $1",
        );
        let found = NAME.update(&[oid.into()], statements::two::<String, String>)?;
        let Some((Some(schema), Some(name))) = found else { return Ok(None) };
        Ok(Some(Table { oid, schema, name }))
    }

    /// The relation of that qualified name, if there is one.
    pub fn named(name: &str) -> Result<Option<Table>, Error> {
        static FIND: Statement = Statement::new("SELECT to_regclass($1)::oid");
        match FIND.update(&[name.into()], statements::one::<pg_sys::Oid>)? {
            Some(oid) => Table::find(oid),
            None => Ok(None),
        }
    }

    fn kind(&self) -> Result<String, Error> {
        static KIND: Statement =
            Statement::new("SELECT relkind::text FROM pg_class WHERE oid = $1");
        KIND.update(&[self.oid.into()], |rows| rows::only(rows, "pg_class.relkind"))
    }

    /// The columns that can be written, in order.
    pub fn columns(&self) -> Result<Vec<Column>, Error> {
        static COLUMNS: Statement = Statement::new(
            "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull, \
                pg_get_expr(d.adbin, d.adrelid), a.attidentity <> '' \
             FROM pg_attribute AS a \
             LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
             WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped \
               AND a.attgenerated = '' ORDER BY a.attnum",
        );
        COLUMNS.update(&[self.oid.into()], |found| {
            rows::each(found, |row| {
                Ok(Column {
                    name: rows::value(row, 1, "pg_attribute.attname")?,
                    type_name: rows::value(row, 2, "pg_attribute.atttypid")?,
                    not_null: rows::value(row, 3, "pg_attribute.attnotnull")?,
                    default: rows::optional(row, 4, "pg_attrdef.adbin")?,
                    is_identity: rows::value(row, 5, "pg_attribute.attidentity")?,
                })
            })
        })
    }

    /// Whether it has all these columns. Columns with computed values count too.
    pub fn has_columns(&self, names: &[String]) -> Result<bool, Error> {
        let (columns, computed) = (self.columns()?, self.computed_columns()?);
        let has = |name: &String| {
            columns.iter().any(|column| column.name == *name) || computed.contains(name)
        };
        Ok(names.iter().all(has))
    }

    /// The names of the columns that are GENERATED ALWAYS AS an expression. Nothing can be written
    /// into them.
    pub fn computed_columns(&self) -> Result<Vec<String>, Error> {
        static COMPUTED: Statement = Statement::new(
            "SELECT attname::text FROM pg_attribute \
             WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND attgenerated <> '' ORDER BY attnum",
        );
        COMPUTED.update(&[self.oid.into()], statements::column)
    }

    /// The replica identity of the table if it identifies no row and the database has a
    /// publication: NOTHING, an index that was dropped, or DEFAULT without a primary key.
    pub fn missing_identity(&self) -> Result<Option<String>, Error> {
        static MISSING: Statement = Statement::new(
            "SELECT CASE c.relreplident WHEN 'd' THEN 'DEFAULT' ELSE 'NOTHING' END FROM pg_class AS c \
             WHERE c.oid = $1 AND c.relreplident <> 'f' AND EXISTS (SELECT FROM pg_publication) \
               AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate \
                               AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END)",
        );
        MISSING.update(&[self.oid.into()], statements::one)
    }

    /// Runs `work`, which updates or deletes rows of the table. This works also if a publication
    /// has the table and nothing in it identifies a row.
    pub fn with_replica_identity<R>(
        &self,
        work: impl FnOnce() -> Result<R, Error>,
    ) -> Result<R, Error> {
        let Some(identity) = self.missing_identity()? else { return work() };
        dynamic_sql::execute(&format!("ALTER TABLE {self} REPLICA IDENTITY FULL"))?;
        let result = work()?;
        dynamic_sql::execute(&format!("ALTER TABLE {self} REPLICA IDENTITY {identity}"))?;
        Ok(result)
    }

    /// The columns of the primary key, in order; none without a primary key.
    pub fn key(&self) -> Result<Vec<String>, Error> {
        self.columns_of_constraints("p").map(|mut keys| keys.pop().unwrap_or_default())
    }

    /// The sets of columns that are unique beside the primary key.
    pub fn unique_sets(&self) -> Result<Vec<Vec<String>>, Error> {
        self.columns_of_constraints("u")
    }

    fn columns_of_constraints(&self, kind: &str) -> Result<Vec<Vec<String>>, Error> {
        static COLUMNS: Statement = Statement::new(
            "SELECT (SELECT array_agg(a.attname::text ORDER BY k.position) \
                FROM unnest(c.conkey) WITH ORDINALITY AS k (attnum, position) \
                JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.attnum) \
             FROM pg_constraint AS c WHERE c.conrelid = $1 AND c.contype::text = $2 ORDER BY c.conname",
        );
        COLUMNS.update(&[self.oid.into(), kind.into()], statements::column)
    }

    /// The conditions of its CHECK constraints, over its unqualified column names.
    pub fn checks(&self) -> Result<Vec<String>, Error> {
        static CHECKS: Statement = Statement::new(
            "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint \
             WHERE conrelid = $1 AND contype = 'c' ORDER BY conname",
        );
        CHECKS.update(&[self.oid.into()], statements::column)
    }

    /// Its foreign keys.
    pub fn foreign_keys(&self) -> Result<Vec<ForeignKey>, Error> {
        static KEYS: Statement = Statement::new(
            "SELECT c.confrelid, \
                (SELECT array_agg(a.attname::text ORDER BY k.position) \
                 FROM unnest(c.conkey) WITH ORDINALITY AS k (attnum, position) \
                 JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.attnum), \
                (SELECT array_agg(a.attname::text ORDER BY k.position) \
                 FROM unnest(c.confkey) WITH ORDINALITY AS k (attnum, position) \
                 JOIN pg_attribute AS a ON a.attrelid = c.confrelid AND a.attnum = k.attnum), \
                c.confdeltype = 'n' \
             FROM pg_constraint AS c WHERE c.conrelid = $1 AND c.contype = 'f' ORDER BY c.conname",
        );
        let found = KEYS.update(&[self.oid.into()], |keys| {
            rows::each(keys, |row| {
                Ok((
                    rows::value::<pg_sys::Oid>(row, 1, "pg_constraint.confrelid")?,
                    rows::value::<Vec<String>>(row, 2, "pg_constraint.conkey")?,
                    rows::value::<Vec<String>>(row, 3, "pg_constraint.confkey")?,
                    rows::value::<bool>(row, 4, "pg_constraint.confdeltype")?,
                ))
            })
        })?;
        let mut keys = Vec::new();
        for (parent, columns, parent_columns, outlives_parent) in found {
            if let Some(parent) = Table::find(parent)? {
                keys.push(ForeignKey { columns, parent, parent_columns, outlives_parent });
            }
        }
        Ok(keys)
    }

    /// Whether it holds no row.
    pub fn is_empty(&self) -> Result<bool, Error> {
        let sql = format!("SELECT NOT EXISTS (SELECT FROM ONLY {self})");
        dynamic_sql::known(&sql, &[], "exists")
    }

    /// The number of its rows. Reads all of them.
    pub fn count(&self) -> Result<i64, Error> {
        let sql = format!("SELECT count(*) FROM ONLY {self}");
        dynamic_sql::known(&sql, &[], "count")
    }
}

impl ForeignKey {
    /// The condition that the parent row exists, for a row known as `alias`. A row with a NULL in
    /// the key needs none (MATCH SIMPLE).
    pub fn holds_for(&self, alias: &str) -> String {
        let pairs = self.columns.iter().zip(&self.parent_columns);
        let absent: Vec<_> =
            self.columns.iter().map(|own| format!("{alias}.{} IS NULL", quote(own))).collect();
        let equal: Vec<_> = pairs
            .map(|(own, theirs)| format!("parent.{} = {alias}.{}", quote(theirs), quote(own)))
            .collect();
        format!(
            "({} OR EXISTS (SELECT FROM {} AS parent WHERE {}))",
            absent.join(" OR "),
            self.parent,
            equal.join(" AND ")
        )
    }
}
