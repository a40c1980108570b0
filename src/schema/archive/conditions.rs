//! The conditions on which a row of an archive, known as `kept`, can be a row of a table again, and
//! the values that it then has.

use super::table::{Column, ForeignKey, Table};
use crate::server::dynamic_sql::{self, quote};
use crate::server::error::Error;

/// A condition that a row must meet to be restored, and the meaning of its failure.
pub struct Condition {
    pub sql: String,
    pub failure: String,
}

/// The conditions on which rows of `from` can be rows of `to`.
pub fn conditions(from: &Table, to: &Table) -> Result<Vec<Condition>, Error> {
    let mut conditions = Vec::new();
    for key in to.foreign_keys()?.iter().filter(|key| !key.outlives_parent) {
        conditions.push(Condition {
            sql: key.holds_for("kept"),
            failure: format!(
                "{} refers to a row of {} that does not exist",
                key.columns.join(", "),
                key.parent
            ),
        });
    }
    for check in to.checks()? {
        conditions.push(Condition {
            sql: format!("({check}) IS NOT FALSE"),
            failure: format!("the row violates CHECK {check}"),
        });
    }
    let present = from.columns()?;
    for column in to.columns()?.iter().filter(|column| column.not_null) {
        let kept = present.iter().find(|candidate| candidate.name == column.name);
        let failure = match kept {
            Some(kept) if kept.not_null => continue,
            Some(_) => "is null",
            // The restored row gets the default.
            None if column.default.is_some() => continue,
            None => "is not in the archive, and has no default",
        };
        conditions.push(Condition {
            sql: is_given("kept", &column.name),
            failure: format!("{} {failure}", column.name),
        });
    }
    Ok(conditions)
}

/// The reasons why no row of `from` can be a row of `to`, whatever its values; none if rows can be
/// compared one by one.
pub fn misfits(from: &Table, to: &Table) -> Result<Vec<String>, Error> {
    let (present, key) = (from.columns()?, to.key()?);
    let mut misfits = Vec::new();
    for column in to.columns()? {
        let Column { name, type_name, .. } = &column;
        match present.iter().find(|candidate| candidate.name == *name) {
            Some(kept) if kept.type_name != *type_name => misfits.push(format!(
                "column {name} is {} in the archive and {type_name} in {to}",
                kept.type_name
            )),
            // Without their key, rows cannot be distinguished.
            None if key.is_empty() || key.contains(name) => {
                misfits.push(format!("the archive lacks column {name}"));
            }
            _ => {}
        }
    }
    if !misfits.is_empty() {
        misfits.push(format!(
            "after you alter {from}, run SELECT * FROM orchestrator.restore_archived()"
        ));
    }
    Ok(misfits)
}

/// The condition that a column of a row has a value. A composite value with null fields is a value
/// too, and IS NOT NULL is false for it.
pub fn is_given(alias: &str, column: &str) -> String {
    format!("{alias}.{} IS DISTINCT FROM NULL", quote(column))
}

/// Joins conditions into one.
pub fn all_of(conditions: &[Condition]) -> String {
    let sql: Vec<_> = conditions.iter().map(|condition| condition.sql.as_str()).collect();
    if sql.is_empty() { "true".to_owned() } else { sql.join(" AND ") }
}

/// The value that a column has once its row is restored. A reference to a row that was deleted
/// becomes NULL if the foreign key is ON DELETE SET NULL, as the deletion would have made it with
/// the key in place.
pub fn arriving(keys: &[ForeignKey], column: &str, value: &str) -> String {
    let lost = keys
        .iter()
        .filter(|key| key.outlives_parent && key.columns.iter().any(|own| own == column))
        .map(|key| format!("NOT {}", key.holds_for("kept")));
    let lost: Vec<_> = lost.collect();
    if lost.is_empty() {
        value.to_owned()
    } else {
        format!("CASE WHEN {} THEN NULL ELSE {value} END", lost.join(" OR "))
    }
}

/// The rows of `from` as they would be in `to`. Columns that only `to` has hold their default.
/// Columns that only `from` has stay beside them.
pub fn arriving_rows(from: &Table, to: &Table) -> Result<String, Error> {
    let keys = to.foreign_keys()?;
    let (present, known) = (from.columns()?, to.columns()?);
    let has = |columns: &[Column], name: &str| columns.iter().any(|column| column.name == name);
    let mut columns: Vec<String> = Vec::new();
    for column in &known {
        let name = quote(&column.name);
        let value = match &column.default {
            _ if has(&present, &column.name) => {
                arriving(&keys, &column.name, &format!("kept.{name}"))
            }
            Some(default) => default.clone(),
            None => format!("NULL::{}", column.type_name),
        };
        columns.push(format!("{value} AS {name}"));
    }
    let extra = present.iter().filter(|column| !has(&known, &column.name));
    columns.extend(extra.map(|column| format!("kept.{}", quote(&column.name))));
    Ok(format!("(SELECT {} FROM ONLY {from} AS kept) AS kept", columns.join(", ")))
}

/// Locks the parent tables, so that no parent row is deleted between the check and the end of the
/// transaction: the triggers of the foreign keys do not fire for restored rows.
pub fn lock_parents(table: &Table) -> Result<(), Error> {
    for key in table.foreign_keys()? {
        dynamic_sql::execute(&format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", key.parent))?;
    }
    Ok(())
}

/// The condition that two rows have the same key.
pub fn same_key(key: &[String], left: &str, right: &str) -> String {
    let equal: Vec<_> =
        key.iter().map(|name| format!("{left}.{0} = {right}.{0}", quote(name))).collect();
    equal.join(" AND ")
}
