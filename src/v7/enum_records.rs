//! Proposals for enum duplicates: one row for each pair, with the columns that a replacement would touch.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CStr;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{JsonB, Uuid};

use super::enums::{self, EnumType, Pair};
use crate::schema::facts::split;
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{latest, rows, statements};

/// Records every pair of enum types that looks like one as a proposal to replace the one that is
/// used less by the other. A pair that is recorded already, either way round, is left alone.
///
/// `minimum_similarity`: as for `enum_duplicates`. Returns: how many rows were added.
/// Errors: 22023 not between 0 and 1, 40001 another transaction has recorded some since this
/// one began to read. Since 0.4.3.
#[pg_extern(sql = false, volatile)]
fn v7_record_enum_duplicates(
    minimum_similarity: default!(Option<f64>, "0.8"),
) -> Result<i64, ErrorReport> {
    // One recorder at a time: no constraint could tell a pair from itself turned round.
    static LOCK: Statement =
        Statement::new("LOCK TABLE orchestrator.v7_enum_migrations IN SHARE ROW EXCLUSIVE MODE");
    static RECORD: Statement = Statement::new(
        "INSERT INTO orchestrator.v7_enum_migrations \
             (current_enum_name, current_enum_values, v7_enum_name, v7_enum_values, consolidates_with, \
              affected_tables, affected_columns, risk_level) \
         SELECT $1, $2, $3, $4, ARRAY[$3], $5, $6, $7 \
         WHERE NOT EXISTS (SELECT FROM orchestrator.v7_enum_migrations AS m \
             WHERE (m.current_enum_name = $1 AND (m.v7_enum_name = $3 OR $3 = ANY (m.consolidates_with))) \
                OR (m.current_enum_name = $3 AND (m.v7_enum_name = $1 OR $1 = ANY (m.consolidates_with)))) \
         ON CONFLICT ON CONSTRAINT v7_enum_migrations_names_key DO NOTHING RETURNING id",
    );
    let minimum = enums::share("minimum_similarity", minimum_similarity)?;
    LOCK.update(&[], |_| Ok(()))?;
    all_records_are_seen()?;
    let enums = enums::all()?;
    let mut recorded = 0;
    for pair in enums::pairs(&enums, minimum) {
        let (replaced, kept) = roles(&pair);
        let affected = affected(replaced);
        let tables: Vec<String> = affected.keys().cloned().collect();
        let arguments = [
            replaced.name.as_str().into(),
            replaced.labels.clone().into(),
            kept.name.as_str().into(),
            together(kept, replaced).into(),
            tables.into(),
            JsonB(serde_json::json!(affected)).into(),
            risk(&pair, replaced).into(),
        ];
        recorded += RECORD.update(&arguments, |rows| Ok(rows.len() as i64))?;
    }
    Ok(recorded)
}

/// Refuses where another transaction has recorded a pair that the snapshot of this one does not show.
///
/// Errors: 40001.
fn all_records_are_seen() -> Result<(), Error> {
    const RECORDS: &CStr = c"SELECT array_agg(m.id) FILTER (WHERE m.id IS NOT NULL) FROM orchestrator.v7_enum_migrations AS m";
    static SEEN: Statement = Statement::new(
        "SELECT count(*) FROM orchestrator.v7_enum_migrations AS m WHERE m.id = ANY ($1)",
    );
    let records = latest::value::<Vec<Uuid>>(RECORDS, &[])?.unwrap_or_default();
    let all = records.len() as i64;
    let seen = SEEN.update(&[records.into()], |rows| rows::only::<i64>(rows, "count"))?;
    if seen == all {
        return Ok(());
    }
    Err(Error::new(Kind::Serialization, "another transaction has recorded enum duplicates")
        .detail("It did so after this transaction began to read.")
        .hint("Roll back and try again."))
}

/// The pairs that are not recorded yet.
pub fn unrecorded() -> Result<Vec<String>, Error> {
    static RECORDED: Statement = Statement::new(
        "SELECT EXISTS (SELECT FROM orchestrator.v7_enum_migrations AS m \
         WHERE (m.current_enum_name = $1 AND (m.v7_enum_name = $2 OR $2 = ANY (m.consolidates_with))) \
            OR (m.current_enum_name = $2 AND (m.v7_enum_name = $1 OR $1 = ANY (m.consolidates_with))))",
    );
    let enums = enums::all()?;
    let mut missing = Vec::new();
    for Pair { a, b, .. } in enums::pairs(&enums, 0.8) {
        let arguments = [a.name.as_str().into(), b.name.as_str().into()];
        if RECORDED.select(&arguments, statements::one::<bool>)? != Some(true) {
            missing.push(format!("{} and {}", a.name, b.name));
        }
    }
    Ok(missing)
}

/// The replaced and the kept type of a pair: the one with more uses is kept, then the one whose name has
/// more underscores, then the first by name.
fn roles<'a>(pair: &Pair<'a>) -> (&'a EnumType, &'a EnumType) {
    let weight = |kind: &EnumType| (kind.used_by.len(), kind.name.matches('_').count());
    if weight(pair.b) > weight(pair.a) { (pair.a, pair.b) } else { (pair.b, pair.a) }
}

/// The labels of the kept type, then those that only the replaced one has.
fn together(kept: &EnumType, replaced: &EnumType) -> Vec<String> {
    let known: BTreeSet<_> = kept.labels.iter().collect();
    let more = replaced.labels.iter().filter(|label| !known.contains(label));
    kept.labels.iter().chain(more).cloned().collect()
}

/// The risk of a replacement. Low: nothing uses the type. Medium: both have the same labels. High: the
/// labels differ, so values must be mapped.
fn risk(pair: &Pair<'_>, replaced: &EnumType) -> &'static str {
    if replaced.used_by.is_empty() {
        "low"
    } else if pair.only_in_a.is_empty() && pair.only_in_b.is_empty() {
        "medium"
    } else {
        "high"
    }
}

/// The columns that use an enum, by table.
fn affected(kind: &EnumType) -> BTreeMap<String, Vec<String>> {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in &kind.used_by {
        let (table, column) = split(name);
        tables.entry(table.to_owned()).or_default().push(column.to_owned());
    }
    tables
}

#[cfg(test)]
mod tests {
    use crate::schema::facts::split;

    #[test]
    fn columns_are_split_outside_quotes() {
        assert_eq!(split("public.contacts.status"), ("public.contacts", "status"));
        assert_eq!(
            split("\"my.schema\".\"a \"\"table\"\".\".\"the.column\""),
            ("\"my.schema\".\"a \"\"table\"\".\"", "\"the.column\"")
        );
        assert_eq!(split("alone"), ("", "alone"));
    }
}
