//! The way up: rows and values come back from schema orchestrator_archive. What cannot come back
//! stays there, and a NOTICE says how much of it and why.

use super::kept::{self, Archive, Holds};
use super::table::{Column, Table};
use crate::dynamic::{self, list, quote};
use crate::error::Error;
use crate::session;
use crate::text::counted;

/// How many rows came back, and how many stay in the archive.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    pub restored: i64,
    pub left_behind: i64,
}

/// What becomes of a value that stands in a column already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Present {
    /// The column was added a moment ago: what stands in it is no user's.
    Overwritten,
    /// Somebody may have written it since: only the column's default is overwritten.
    Respected,
}

/// A condition that a row must meet to come back, and what its failure means.
struct Condition {
    sql: String,
    failure: String,
}

/// Brings back the rows of a table from its archives.
pub fn table(live: &Table) -> Result<Outcome, Error> {
    let mut total = Outcome::default();
    for archive in kept::of(&live.name)?.iter().filter(|archive| archive.holds == Holds::Rows) {
        let outcome = rows(archive, live)?;
        total.restored += outcome.restored;
        total.left_behind += outcome.left_behind;
    }
    Ok(total)
}

fn rows(archive: &Archive, live: &Table) -> Result<Outcome, Error> {
    give_grants(&archive.table, live)?;
    advance_sequences(&archive.table, live)?;
    let outcome = without_triggers(|| move_rows(&archive.table, live))?;
    if outcome.left_behind == 0 {
        dynamic::execute(&format!("DROP TABLE {}", archive.table))?;
    } else {
        let reasons = reasons(&archive.table, live)?;
        left_behind(outcome.left_behind, &live.to_string(), &archive.table, &reasons);
    }
    Ok(outcome)
}

/// Moves the rows that `to` can take, by an explicit column list; the others stay in `from`.
/// Values in columns that `to` does not have keep their row in `from` as well.
pub fn move_rows(from: &Table, to: &Table) -> Result<Outcome, Error> {
    let (shared, extra) = shared_columns(from, to)?;
    lock_parents(to)?;
    let conditions = conditions(from, to)?;
    let accepted = all_of(&conditions);
    let columns = list("", &shared);
    let restored = dynamic::execute(&format!(
        "INSERT INTO {to} ({columns}) OVERRIDING SYSTEM VALUE \
         SELECT {columns} FROM ONLY {from} AS kept WHERE {accepted} ON CONFLICT DO NOTHING"
    ))?;
    let total = from.count()?;
    let nothing_extra: Vec<_> =
        extra.iter().map(|name| format!("AND kept.{} IS NULL ", quote(name))).collect();
    if restored == total && extra.is_empty() {
        return Ok(Outcome { restored, left_behind: 0 });
    }
    let key = to.key()?;
    let gone = if key.is_empty() {
        format!("DELETE FROM {from} AS kept WHERE {accepted} {}", nothing_extra.concat())
    } else {
        format!(
            "DELETE FROM {from} AS kept USING {to} AS live \
             WHERE {} AND record_image_eq(ROW({}), ROW({})) {}",
            same_key(&key, "kept", "live"),
            list("kept.", &shared),
            list("live.", &shared),
            nothing_extra.concat()
        )
    };
    Ok(Outcome { restored, left_behind: total - dynamic::execute(&gone)? })
}

/// Brings back the values of `columns`, row by key.
pub fn columns(live: &Table, columns: &[String], present: Present) -> Result<Outcome, Error> {
    let mut total = Outcome::default();
    for archive in kept::of(&live.name)? {
        let Holds::Columns(held) = &archive.holds else {
            continue;
        };
        if held.iter().any(|name| columns.contains(name)) {
            let outcome = values(&archive, live, present)?;
            total.restored += outcome.restored;
            total.left_behind += outcome.left_behind;
        }
    }
    Ok(total)
}

fn values(archive: &Archive, live: &Table, present: Present) -> Result<Outcome, Error> {
    let kept = &archive.table;
    let key = live.key()?;
    let (shared, _) = shared_columns(kept, live)?;
    let values: Vec<_> = shared.into_iter().filter(|name| !key.contains(name)).collect();
    let rest: Vec<_> = live
        .columns()?
        .into_iter()
        .map(|column| column.name)
        .filter(|name| !values.contains(name))
        .collect();
    lock_parents(live)?;

    // The row as it would be, so that every condition reads it by its plain column names.
    let merged = format!(
        "SELECT {}, {} FROM ONLY {live} AS live JOIN ONLY {kept} AS kept ON {}",
        list("live.", &rest),
        list("kept.", &values),
        same_key(&key, "kept", "live"),
    );
    let mut accepted = all_of(&conditions(kept, live)?);
    for unique in live.unique_sets()?.iter().filter(|set| set.iter().any(|n| values.contains(n))) {
        accepted.push_str(&format!(
            " AND NOT EXISTS (SELECT FROM ONLY {live} AS other WHERE {} AND NOT ({}))",
            same_key(unique, "other", "kept"),
            same_key(&key, "other", "kept"),
        ));
    }
    let untouched = match present {
        Present::Overwritten => String::new(),
        Present::Respected => format!("AND {}", still_default(live, &values)?),
    };
    let assignments: Vec<_> =
        values.iter().map(|name| format!("{0} = kept.{0}", quote(name))).collect();
    let restored = without_triggers(|| {
        dynamic::execute(&format!(
            "UPDATE ONLY {live} AS live SET {} \
             FROM (SELECT * FROM ({merged}) AS kept WHERE {accepted}) AS kept \
             WHERE {} {untouched}",
            assignments.join(", "),
            same_key(&key, "kept", "live"),
        ))
    })?;
    let total = archive.rows()?;
    if restored == total {
        dynamic::execute(&format!("DROP TABLE {kept}"))?;
        return Ok(Outcome { restored, left_behind: 0 });
    }
    let returned = dynamic::execute(&format!(
        "DELETE FROM {kept} AS kept USING {live} AS live WHERE {} AND record_image_eq(ROW({}), ROW({}))",
        same_key(&key, "kept", "live"),
        list("kept.", &values),
        list("live.", &values),
    ))?;
    let left = total - returned;
    if left == 0 {
        dynamic::execute(&format!("DROP TABLE {kept}"))?;
    } else {
        let gone: i64 = dynamic::value(
            &format!(
                "SELECT count(*) FROM {kept} AS kept WHERE NOT EXISTS (SELECT FROM {live} AS live WHERE {})",
                same_key(&key, "kept", "live")
            ),
            &[],
        )?
        .unwrap_or_default();
        let mut reasons = Vec::new();
        if gone > 0 {
            reasons.push(format!("{gone}: the row is gone"));
        }
        if left > gone {
            reasons.push(format!(
                "{}: the row was changed since, and the value does not fit it",
                left - gone
            ));
        }
        left_behind(left, &archive.object(), kept, &reasons);
    }
    Ok(Outcome { restored, left_behind: left })
}

/// Gives back whatever the installed version has a place for.
pub fn everything() -> Result<Vec<(String, i64, i64)>, Error> {
    let mut outcomes = Vec::new();
    for archive in kept::all()? {
        let object = archive.object();
        let outcome = match (archive.live_table()?, &archive.holds) {
            (Some(live), Holds::Rows) => rows(&archive, &live)?,
            (Some(live), Holds::Columns(held)) if has_columns(&live, held)? => {
                values(&archive, &live, Present::Respected)?
            }
            _ => Outcome { restored: 0, left_behind: archive.rows()? },
        };
        outcomes.push((object, outcome.restored, outcome.left_behind));
    }
    Ok(outcomes)
}

fn has_columns(table: &Table, names: &[String]) -> Result<bool, Error> {
    let columns = table.columns()?;
    Ok(names.iter().all(|name| columns.iter().any(|column| column.name == *name)))
}

/// The column names that both tables have, and those that only `from` has.
fn shared_columns(from: &Table, to: &Table) -> Result<(Vec<String>, Vec<String>), Error> {
    let known = to.columns()?;
    Ok(from
        .columns()?
        .into_iter()
        .map(|column| column.name)
        .partition(|name| known.iter().any(|column| column.name == *name)))
}

/// What a row known as `kept` must satisfy to be a row of `to`.
fn conditions(from: &Table, to: &Table) -> Result<Vec<Condition>, Error> {
    let mut conditions = Vec::new();
    for key in to.foreign_keys()? {
        conditions.push(Condition {
            sql: key.holds_for("kept"),
            failure: format!(
                "the row of {} that {} names is gone",
                key.parent,
                key.columns.join(", ")
            ),
        });
    }
    for check in to.checks()? {
        conditions.push(Condition {
            sql: format!("({check}) IS NOT FALSE"),
            failure: format!("it violates CHECK {check}"),
        });
    }
    let nullable: Vec<Column> =
        from.columns()?.into_iter().filter(|column| !column.not_null).collect();
    for column in to.columns()?.iter().filter(|column| column.not_null) {
        if nullable.iter().any(|candidate| candidate.name == column.name) {
            conditions.push(Condition {
                sql: format!("kept.{} IS NOT NULL", quote(&column.name)),
                failure: format!("{} is null", column.name),
            });
        }
    }
    Ok(conditions)
}

fn all_of(conditions: &[Condition]) -> String {
    let sql: Vec<_> = conditions.iter().map(|condition| condition.sql.as_str()).collect();
    if sql.is_empty() { "true".to_owned() } else { sql.join(" AND ") }
}

/// Why rows stayed in the archive, with their number.
fn reasons(from: &Table, to: &Table) -> Result<Vec<String>, Error> {
    let (_, extra) = shared_columns(from, to)?;
    let mut conditions = conditions(from, to)?;
    let key = to.key()?;
    if !key.is_empty() {
        conditions.push(Condition {
            sql: format!(
                "NOT EXISTS (SELECT FROM ONLY {to} AS live WHERE {})",
                same_key(&key, "kept", "live")
            ),
            failure: "a row with its key is there".to_owned(),
        });
    }
    for name in extra {
        conditions.push(Condition {
            sql: format!("kept.{} IS NULL", quote(&name)),
            failure: format!("column {name} no longer exists, the rest of the row came back"),
        });
    }
    let mut reasons = Vec::new();
    for Condition { sql, failure } in conditions {
        let count = format!("SELECT count(*) FROM ONLY {from} AS kept WHERE NOT ({sql})");
        match dynamic::value::<i64>(&count, &[])? {
            None | Some(0) => {}
            Some(rows) => reasons.push(format!("{rows}: {failure}")),
        }
    }
    Ok(reasons)
}

/// Equality of the columns of a key between two rows.
fn same_key(key: &[String], left: &str, right: &str) -> String {
    let equal: Vec<_> =
        key.iter().map(|name| format!("{left}.{0} = {right}.{0}", quote(name))).collect();
    equal.join(" AND ")
}

/// The condition that every one of `columns` still holds its default in row `live`.
fn still_default(table: &Table, columns: &[String]) -> Result<String, Error> {
    const DEFAULTS: &str = "SELECT format('live.%I IS NOT DISTINCT FROM %s', a.attname, \
                coalesce(pg_get_expr(d.adbin, d.adrelid), 'NULL')) \
         FROM pg_attribute AS a \
         LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
         WHERE a.attrelid = $1 AND a.attname = ANY ($2)";
    let arguments = [table.oid.into(), columns.to_vec().into()];
    Ok(dynamic::column::<String>(DEFAULTS, &arguments)?.join(" AND "))
}

/// Keeps parent rows from going away between the check and the end of the transaction: the
/// foreign keys' own triggers do not fire for rows that come back.
fn lock_parents(table: &Table) -> Result<(), Error> {
    for key in table.foreign_keys()? {
        dynamic::execute(&format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", key.parent))?;
    }
    Ok(())
}

/// Runs `work` with triggers and rules silent: rows come back as they were, and have been checked
/// against every foreign key in one pass.
fn without_triggers<R>(work: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    session::with_setting(c"session_replication_role", c"replica", work)
}

/// Gives users the grants again that they held on the archived table.
fn give_grants(archive: &Table, live: &Table) -> Result<(), Error> {
    const GRANTS: &str = "SELECT format('GRANT %s ON TABLE %s TO %s%s', a.privilege_type, $2, \
                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, \
                CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) \
         FROM pg_class AS c, aclexplode(c.relacl) AS a WHERE c.oid = $1 AND a.grantee <> c.relowner \
         UNION ALL \
         SELECT format('GRANT %s (%I) ON TABLE %s TO %s%s', a.privilege_type, t.attname, $2, \
                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, \
                CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) \
         FROM pg_attribute AS t, aclexplode(t.attacl) AS a, pg_attribute AS l \
         WHERE t.attrelid = $1 AND l.attrelid = $3 AND l.attname = t.attname AND NOT l.attisdropped";
    let name = live.to_string();
    let arguments = [archive.oid.into(), name.as_str().into(), live.oid.into()];
    let grants: Vec<String> = dynamic::column(GRANTS, &arguments)?;
    session::outside_the_script(|| {
        grants.iter().try_for_each(|grant| dynamic::execute(grant).map(|_| ()))
    })
}

/// Moves the sequences of `live` to where those of the archived table stood.
fn advance_sequences(archive: &Table, live: &Table) -> Result<(), Error> {
    const PAIRS: &str = "SELECT format('SELECT setval(%L, s.last_value, s.is_called) FROM %s AS s, %s AS l \
                WHERE s.last_value >= l.last_value', \
                pg_get_serial_sequence($1, a.attname), pg_get_serial_sequence($2, a.attname), \
                pg_get_serial_sequence($1, a.attname)) \
         FROM pg_attribute AS a WHERE a.attrelid = $3 AND a.attnum > 0 AND NOT a.attisdropped \
           AND pg_get_serial_sequence($1, a.attname) IS NOT NULL \
           AND EXISTS (SELECT FROM pg_attribute AS o WHERE o.attrelid = $4 AND o.attname = a.attname \
                       AND NOT o.attisdropped AND pg_get_serial_sequence($2, o.attname) IS NOT NULL)";
    let (live_name, archive_name) = (live.to_string(), archive.to_string());
    let arguments = [
        live_name.as_str().into(),
        archive_name.as_str().into(),
        live.oid.into(),
        archive.oid.into(),
    ];
    for statement in dynamic::column::<String>(PAIRS, &arguments)? {
        dynamic::execute(&statement)?;
    }
    Ok(())
}

/// Tells how many rows stay in the archive, and why.
fn left_behind(rows: i64, belongs_to: &str, archive: &Table, reasons: &[String]) {
    session::tell(
        format!(
            "{} of {belongs_to} could not come back and stay in {archive}",
            counted(rows, "row")
        ),
        Some(reasons.join("; ")),
    );
}
