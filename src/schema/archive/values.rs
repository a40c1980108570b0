//! Restores values of columns, row by key.
//!
//! In a column that stayed, the kept value is restored only where the value that the down script
//! left is unchanged. A value that somebody wrote since stays.

use super::archives::{self, Archive, Holds};
use super::conditions::{self, all_of, arriving, lock_parents, same_key};
use super::grants;
use super::on_its_own::{left_behind, lost_reference, on_its_own, stays, unless_in_use};
use super::table::{ForeignKey, Table};
use super::transfer::{Outcome, without_triggers};
use crate::server::dynamic_sql::{self, list, quote};
use crate::server::error::Error;

/// The treatment of a value that a column holds already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// The column was just added: no value in it is a user's.
    Overwrite,
    /// Somebody may have written it since: only the column's default is overwritten.
    Keep,
}

/// Restores the values of `columns`, row by key.
pub fn give_back(live: &Table, columns: &[String]) -> Result<Outcome, Error> {
    let mut total = Outcome::default();
    // The newest archive holds the last values of the columns. An older one holds only values that
    // did not fit before.
    let mut on_conflict = OnConflict::Overwrite;
    for archive in archives::of(&live.name)? {
        let Holds::Columns(held) = &archive.holds else {
            continue;
        };
        // An archive with columns of a later version waits for that version.
        if held.iter().any(|name| columns.contains(name)) && live.has_columns(held)? {
            let outcome = values(&archive, live, on_conflict)?;
            total.restored += outcome.restored;
            total.left_behind += outcome.left_behind;
            on_conflict = OnConflict::Keep;
        }
    }
    Ok(total)
}

/// A kept column, and the value that it gets in a row.
struct Value {
    name: String,
    /// An expression over the rows `kept` and `live`.
    arrives: String,
    /// Whether the older version had the column as well.
    stayed: bool,
}

/// The kept columns that the table has, without the key.
fn arriving_values(kept: &Table, live: &Table, keys: &[ForeignKey]) -> Result<Vec<Value>, Error> {
    let (held, key) = (kept.columns()?, live.key()?);
    let has = |name: &str| held.iter().any(|column| column.name == name);
    let mut values = Vec::new();
    for column in live.columns()? {
        if !has(&column.name) || key.contains(&column.name) {
            continue;
        }
        let name = quote(&column.name);
        let stayed = has(&archives::left(&column.name));
        let arrives = arriving(keys, &column.name, &format!("kept.{name}"));
        let arrives = if stayed {
            let left = quote(&archives::left(&column.name));
            format!(
                "CASE WHEN record_image_eq(ROW(live.{name}), ROW(coalesce(kept.{left}, kept.{name}))) \
                 THEN {arrives} ELSE live.{name} END"
            )
        } else {
            arrives
        };
        values.push(Value { name: column.name, arrives, stayed });
    }
    Ok(values)
}

/// Restores the values of one archive.
pub fn values(archive: &Archive, live: &Table, on_conflict: OnConflict) -> Result<Outcome, Error> {
    unless_in_use(archive, || {
        grants::give_column_grants(&archive.table, live)?;
        on_its_own(archive, || values_of(archive, live, on_conflict))
    })
}

/// The reasons why the values of an archive cannot be written into the columns of their names.
fn misfits(archive: &Archive, live: &Table) -> Result<Vec<String>, Error> {
    let Holds::Columns(held) = &archive.holds else { return Ok(Vec::new()) };
    let mut misfits = Vec::new();
    let computed = live.computed_columns()?;
    for name in held.iter().filter(|name| computed.contains(name)) {
        misfits.push(format!("column {name} of {live} is computed from other columns"));
    }
    for column in live.columns()?.iter().filter(|column| column.is_identity) {
        if held.contains(&column.name) {
            let name = &column.name;
            misfits.push(format!("column {name} of {live} is an identity, which numbers its rows"));
        }
    }
    if !misfits.is_empty() {
        misfits.push(
            "after you make it a plain column, run SELECT * FROM orchestrator.restore_archived()"
                .to_owned(),
        );
    }
    misfits.extend(conditions::misfits(&archive.table, live)?);
    Ok(misfits)
}

fn values_of(archive: &Archive, live: &Table, on_conflict: OnConflict) -> Result<Outcome, Error> {
    let kept = &archive.table;
    let key = live.key()?;
    let misfits = misfits(archive, live)?;
    if !misfits.is_empty() {
        return stays(archive, &misfits);
    }
    lock_parents(live)?;
    let keys = live.foreign_keys()?;
    let values = arriving_values(kept, live, &keys)?;
    let names: Vec<_> = values.iter().map(|value| value.name.clone()).collect();
    let lossy: Vec<_> = keys
        .into_iter()
        .filter(|key| key.outlives_parent && key.columns.iter().all(|own| names.contains(own)))
        .collect();

    let written = statement(archive, live, on_conflict, &values, &lossy)?;
    let counts = live.with_replica_identity(|| {
        without_triggers(|| dynamic_sql::known::<Vec<i64>>(&written, &[], "counts"))
    })?;
    let restored = counts.first().copied().unwrap_or_default();
    for (key, rows) in lossy.iter().zip(counts.into_iter().skip(1)).filter(|(_, rows)| *rows > 0) {
        lost_reference(&archive.object(), key, rows);
    }
    let total = archive.rows()?;
    if restored == total {
        dynamic_sql::execute(&format!("DROP TABLE {kept}"))?;
        return Ok(Outcome { restored, left_behind: 0 });
    }
    let arrived: Vec<_> = values.iter().map(|value| value.arrives.as_str()).collect();
    let gone = format!(
        "DELETE FROM {kept} AS kept USING {live} AS live WHERE {} AND record_image_eq(ROW({}), ROW({}))",
        same_key(&key, "kept", "live"),
        arrived.join(", "),
        list("live.", &names),
    );
    let returned = kept.with_replica_identity(|| dynamic_sql::execute(&gone))?;
    let left = total - returned;
    if left == 0 {
        dynamic_sql::execute(&format!("DROP TABLE {kept}"))?;
    } else {
        archives::note_left_behind(archive)?;
        left_behind(left, &archive.object(), kept, &reasons(archive, live, left)?);
    }
    Ok(Outcome { restored, left_behind: left })
}

/// The statement that writes the values which fit into their rows. It returns the number of these
/// rows, and for each of the `lossy` foreign keys the number of those that were restored without
/// it. A row that holds its values already is counted and not written.
fn statement(
    archive: &Archive,
    live: &Table,
    on_conflict: OnConflict,
    values: &[Value],
    lossy: &[ForeignKey],
) -> Result<String, Error> {
    let kept = &archive.table;
    let key = live.key()?;
    let names: Vec<_> = values.iter().map(|value| value.name.clone()).collect();

    // The row as it would be, so that every condition reads it by its plain column names.
    let mut merged: Vec<String> = Vec::new();
    for column in live.columns()? {
        let name = quote(&column.name);
        let value = values.iter().find(|value| value.name == column.name);
        let value = value.map_or_else(|| format!("live.{name}"), |value| value.arrives.clone());
        merged.push(format!("{value} AS {name}"));
    }
    let arrived: Vec<_> = values.iter().map(|value| value.arrives.as_str()).collect();
    merged.push(format!(
        "record_image_ne(ROW({}), ROW({})) AS \"is written\"",
        arrived.join(", "),
        list("live.", &names)
    ));
    for (number, key) in lossy.iter().enumerate() {
        merged.push(format!("NOT {} AS \"lost {number}\"", key.holds_for("kept")));
    }
    let untouched = match on_conflict {
        OnConflict::Overwrite => String::new(),
        OnConflict::Keep => still_default(live, values)?,
    };
    let mut accepted = all_of(&conditions::conditions(kept, live)?);
    for unique in live.unique_sets()?.iter().filter(|set| set.iter().any(|n| names.contains(n))) {
        accepted.push_str(&format!(
            " AND NOT EXISTS (SELECT FROM ONLY {live} AS other WHERE {} AND NOT ({}))",
            same_key(unique, "other", "kept"),
            same_key(&key, "other", "kept"),
        ));
    }
    let assignments: Vec<_> =
        names.iter().map(|name| format!("{0} = accepted.{0}", quote(name))).collect();
    let mut counts = vec!["count(*)".to_owned()];
    counts.extend(
        (0..lossy.len()).map(|number| format!("count(*) FILTER (WHERE \"lost {number}\")")),
    );
    Ok(format!(
        "WITH merged AS ( \
             SELECT {} FROM ONLY {live} AS live JOIN ONLY {kept} AS kept ON {} {untouched} \
         ), accepted AS ( \
             SELECT * FROM merged AS kept WHERE {accepted} \
         ), written AS ( \
             UPDATE ONLY {live} AS live SET {} FROM accepted WHERE {} AND accepted.\"is written\" \
         ) \
         SELECT ARRAY[{}] FROM accepted",
        merged.join(", "),
        same_key(&key, "kept", "live"),
        assignments.join(", "),
        same_key(&key, "accepted", "live"),
        counts.join(", "),
    ))
}

/// The condition that in row `live` every column which the older version lacked still holds its
/// default.
fn still_default(table: &Table, values: &[Value]) -> Result<String, Error> {
    let mut conditions = String::new();
    for column in table.columns()? {
        if values.iter().any(|value| value.name == column.name && !value.stayed) {
            conditions.push_str(&format!(
                " AND live.{} IS NOT DISTINCT FROM {}",
                quote(&column.name),
                column.default.as_deref().unwrap_or("NULL")
            ));
        }
    }
    Ok(conditions)
}

/// The reasons why the values of `left` rows stayed in the archive.
fn reasons(archive: &Archive, live: &Table, left: i64) -> Result<Vec<String>, Error> {
    let gone: i64 = dynamic_sql::known(
        &format!(
            "SELECT count(*) FROM {} AS kept WHERE NOT EXISTS (SELECT FROM {live} AS live WHERE {})",
            archive.table,
            same_key(&live.key()?, "kept", "live")
        ),
        &[],
        "count",
    )?;
    let mut reasons = Vec::new();
    if gone > 0 {
        reasons.push(format!("{gone}: the table has no row with the key"));
    }
    if left > gone {
        reasons.push(format!(
            "{}: the row has changed since, and the value cannot be restored into it",
            left - gone
        ));
    }
    Ok(reasons)
}
