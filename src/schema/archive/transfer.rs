//! Moves rows from one table into another: rows that fit are copied and then deleted from the
//! first.

use super::conditions::{self, Condition, all_of, arriving, lock_parents, same_key};
use super::table::{ForeignKey, Table};
use crate::server::backend_state;
use crate::server::dynamic_sql::{self, list, quote};
use crate::server::error::Error;

/// The number of rows restored, and of rows that stay in the archive.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    pub restored: i64,
    pub left_behind: i64,
}

/// Moves the rows that `to` can take, by an explicit list of columns. The others stay in `from`.
pub fn move_rows(from: &Table, to: &Table) -> Result<Outcome, Error> {
    if !conditions::misfits(from, to)?.is_empty() {
        return Ok(Outcome { restored: 0, left_behind: from.count()? });
    }
    let restored = copy_rows(from, to)?;
    clear(from, to, restored)
}

/// Copies the rows that `to` can take, and returns their number. Without a primary key nothing
/// identifies the row that a value belongs to. So without one, a row with values in columns that
/// `to` does not have is not copied.
pub fn copy_rows(from: &Table, to: &Table) -> Result<i64, Error> {
    let (shared, extra) = shared_columns(from, to)?;
    lock_parents(to)?;
    let accepted = accepted(from, to, &extra)?;
    let arriving_rows = conditions::arriving_rows(from, to)?;
    let columns = list("", &shared);
    dynamic_sql::execute(&format!(
        "INSERT INTO {to} ({columns}) OVERRIDING SYSTEM VALUE \
         SELECT {columns} FROM {arriving_rows} WHERE {accepted} ON CONFLICT DO NOTHING"
    ))
}

/// Deletes the restored rows from `from`. If all rows were restored, the caller drops the table
/// instead.
pub fn clear(from: &Table, to: &Table, restored: i64) -> Result<Outcome, Error> {
    let total = from.count()?;
    if restored == total {
        return Ok(Outcome { restored, left_behind: 0 });
    }
    let (shared, extra) = shared_columns(from, to)?;
    let gone = if to.key()?.is_empty() {
        format!("DELETE FROM {from} AS kept WHERE {}", accepted(from, to, &extra)?)
    } else {
        let same = came_back(to, &shared)?;
        format!("DELETE FROM {from} AS kept USING {to} AS live WHERE {same}")
    };
    let returned = from.with_replica_identity(|| dynamic_sql::execute(&gone))?;
    Ok(Outcome { restored, left_behind: total - returned })
}

/// The condition that row `kept` can be a row of `to`.
fn accepted(from: &Table, to: &Table, extra: &[String]) -> Result<String, Error> {
    let mut conditions = conditions::conditions(from, to)?;
    if to.key()?.is_empty() {
        conditions.extend(extra.iter().map(|name| nothing_in(name)));
    }
    Ok(all_of(&conditions))
}

fn nothing_in(extra: &str) -> Condition {
    Condition {
        sql: format!("NOT ({})", conditions::is_given("kept", extra)),
        failure: format!("the table has neither column {extra} nor a primary key"),
    }
}

/// The condition that row `live` of `to` equals row `kept` as it was restored.
pub fn came_back(to: &Table, shared: &[String]) -> Result<String, Error> {
    let keys = to.foreign_keys()?;
    let values: Vec<_> =
        shared.iter().map(|name| arriving(&keys, name, &format!("kept.{}", quote(name)))).collect();
    Ok(format!(
        "{} AND record_image_eq(ROW({}), ROW({}))",
        same_key(&to.key()?, "kept", "live"),
        values.join(", "),
        list("live.", shared)
    ))
}

/// The column names that both tables have, and those that only `from` has.
pub fn shared_columns(from: &Table, to: &Table) -> Result<(Vec<String>, Vec<String>), Error> {
    let known = to.columns()?;
    Ok(from
        .columns()?
        .into_iter()
        .map(|column| column.name)
        .partition(|name| known.iter().any(|column| column.name == *name)))
}

/// The foreign keys whose parent rows were deleted while the rows that refer to them stay, with the
/// number of rows of the archive that each concerns.
pub fn lost_references(from: &Table, to: &Table) -> Result<Vec<(ForeignKey, i64)>, Error> {
    let present = from.columns()?;
    let mut lost = Vec::new();
    for key in to.foreign_keys()?.into_iter().filter(|key| key.outlives_parent) {
        let archived =
            |own: &String| present.iter().any(|column| column.name.as_str() == own.as_str());
        if key.columns.iter().all(archived) {
            let holds = key.holds_for("kept");
            let count = format!("SELECT count(*) FROM ONLY {from} AS kept WHERE NOT {holds}");
            let rows = dynamic_sql::known::<i64>(&count, &[], "count")?;
            lost.push((key, rows));
        }
    }
    lost.retain(|(_, rows)| *rows > 0);
    Ok(lost)
}

/// The reasons why rows stayed in the archive, each with the number of rows.
pub fn reasons(from: &Table, to: &Table) -> Result<Vec<String>, Error> {
    let (_, extra) = shared_columns(from, to)?;
    let mut conditions = conditions::conditions(from, to)?;
    let key = to.key()?;
    if !key.is_empty() {
        conditions.push(Condition {
            sql: format!(
                "NOT EXISTS (SELECT FROM ONLY {to} AS live WHERE {})",
                same_key(&key, "kept", "live")
            ),
            failure: "the table already has a row with its key".to_owned(),
        });
    } else {
        conditions.extend(extra.iter().map(|name| nothing_in(name)));
    }
    let arriving_rows = conditions::arriving_rows(from, to)?;
    let mut reasons = Vec::new();
    for Condition { sql, failure } in conditions {
        let count = format!("SELECT count(*) FROM {arriving_rows} WHERE NOT ({sql})");
        match dynamic_sql::value::<i64>(&count, &[])? {
            None | Some(0) => {}
            Some(rows) => reasons.push(format!("{rows}: {failure}")),
        }
    }
    Ok(reasons)
}

/// Runs `work` with triggers and rules off: rows are restored as they were, and have been checked
/// against every foreign key in one pass.
pub fn without_triggers<R>(work: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    backend_state::with_setting(c"session_replication_role", c"replica", work)
}
