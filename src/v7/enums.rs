//! Enum types that look like one, among those that the caller may see.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::similarity::{self, Reason};
use crate::error::{Error, Kind, required};
use crate::plans;
use crate::rows;
use crate::session;

/// An enum type with what is known of its use.
#[derive(Clone, Debug)]
pub struct EnumType {
    /// Its qualified name.
    pub name: String,
    plain_name: String,
    pub labels: Vec<String>,
    pub used_by: Vec<String>,
}

/// Two enum types that look like one.
pub struct Pair<'a> {
    pub a: &'a EnumType,
    pub b: &'a EnumType,
    pub reason: Reason,
    pub similarity: f64,
    pub only_in_a: Vec<String>,
    pub only_in_b: Vec<String>,
}

/// Pairs of enum types that look like one.
///
/// `minimum_similarity`: the common share of two label sets, 0 to 1, from which on they count as
/// overlapping. Returns: both qualified names in order, the reason, the common share, and the
/// labels that only one of them has.
/// Errors: 22004, 22023 not between 0 and 1. Since 0.4.0.
#[pg_extern(sql = false, stable)]
#[allow(clippy::type_complexity)]
fn enum_duplicates(
    minimum_similarity: default!(Option<f64>, "0.8"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(enum_a, String),
            name!(enum_b, String),
            name!(reason, String),
            name!(similarity, f64),
            name!(only_in_a, Vec<String>),
            name!(only_in_b, Vec<String>),
        ),
    >,
    ErrorReport,
> {
    let minimum = share("minimum_similarity", minimum_similarity)?;
    let enums = all()?;
    let rows: Vec<_> = pairs(&enums, minimum)
        .map(|pair| {
            (
                pair.a.name.clone(),
                pair.b.name.clone(),
                pair.reason.in_words().to_owned(),
                pair.similarity,
                pair.only_in_a,
                pair.only_in_b,
            )
        })
        .collect();
    Ok(TableIterator::new(rows))
}

/// A share, from 0 to 1.
///
/// Errors: 22004, 22023 anything else.
pub fn share(argument: &str, value: Option<f64>) -> Result<f64, Error> {
    let value = required(argument, value)?;
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(Error::new(Kind::InvalidValue, format!("invalid {argument} {value}"))
        .hint("It is a share between 0 and 1."))
}

/// Every enum type that the caller may see, by name.
pub fn all() -> Result<Vec<EnumType>, Error> {
    const ENUMS: &str = "SELECT format('%I.%I', u.schema_name, u.enum_name), u.enum_name, u.labels, u.used_by \
         FROM orchestrator.enum_usage AS u ORDER BY u.schema_name COLLATE \"C\", u.enum_name COLLATE \"C\"";
    session::while_others_drop(|| {
        plans::select(ENUMS, &[], |rows| {
            rows::each(rows, |row| {
                Ok(EnumType {
                    name: rows::value(row, 1, "enum_usage.enum_name")?,
                    plain_name: rows::value(row, 2, "enum_usage.enum_name")?,
                    labels: rows::value(row, 3, "enum_usage.labels")?,
                    used_by: rows::value(row, 4, "enum_usage.used_by")?,
                })
            })
        })
    })
}

/// The pairs among these types that look like one.
pub fn pairs(enums: &[EnumType], minimum: f64) -> impl Iterator<Item = Pair<'_>> {
    let couples = enums
        .iter()
        .enumerate()
        .flat_map(|(place, a)| enums[place + 1..].iter().map(move |b| (a, b)));
    couples.filter_map(move |(a, b)| {
        let (similarity, only_in_a, only_in_b) = similarity::overlap(&a.labels, &b.labels);
        let names = (a.plain_name.as_str(), b.plain_name.as_str());
        let reason = similarity::reason(names, similarity, minimum)?;
        Some(Pair { a, b, reason, similarity, only_in_a, only_in_b })
    })
}
