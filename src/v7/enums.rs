//! Similar enum types, among those that the caller may see.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::candidates::Candidates;
use super::similarity::{self, Reason};
use crate::server::error::{Error, Kind};
use crate::server::statements::Statement;
use crate::server::{concurrent_drop, rows};

/// An enum type and its use.
#[derive(Clone, Debug)]
pub struct EnumType {
    /// Its qualified name.
    pub name: String,
    plain_name: String,
    pub labels: Vec<String>,
    pub used_by: Vec<String>,
}

/// Two similar enum types.
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
/// Errors: 22023 not between 0 and 1. Since 0.4.0.
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

/// A share, from 0 to 1; NULL means 0.8.
///
/// Errors: 22023 anything else.
pub fn share(argument: &str, value: Option<f64>) -> Result<f64, Error> {
    let value = value.unwrap_or(0.8);
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(Error::new(Kind::InvalidValue, format!("invalid {argument} {value}"))
        .hint("It is a share between 0 and 1."))
}

/// Every enum type that the caller may see, by name.
pub fn all() -> Result<Vec<EnumType>, Error> {
    static ENUMS: Statement = Statement::new(
        "SELECT format('%I.%I', u.schema_name, u.enum_name) AS qualified_name, u.enum_name, u.labels, u.used_by \
         FROM orchestrator.enum_usage AS u ORDER BY u.schema_name COLLATE \"C\", u.enum_name COLLATE \"C\"",
    );
    concurrent_drop::while_others_drop(|| {
        ENUMS.select(&[], |rows| {
            rows::each(rows, |row| {
                Ok(EnumType {
                    name: rows::value(row, 1, "qualified_name")?,
                    plain_name: rows::value(row, 2, "enum_usage.enum_name")?,
                    labels: rows::value(row, 3, "enum_usage.labels")?,
                    used_by: rows::value(row, 4, "enum_usage.used_by")?,
                })
            })
        })
    })
}

/// The similar pairs among these types.
pub fn pairs(enums: &[EnumType], minimum: f64) -> impl Iterator<Item = Pair<'_>> {
    let types = enums.iter().map(|each| (each.plain_name.as_str(), each.labels.as_slice()));
    let candidates = Candidates::of(types, minimum);
    let couples = enums.iter().enumerate().flat_map(move |(place, a)| {
        candidates.behind(place).into_iter().map(move |other| (a, &enums[other]))
    });
    couples.filter_map(move |(a, b)| compared(a, b, minimum))
}

/// Two types as a pair, if they are similar.
fn compared<'a>(a: &'a EnumType, b: &'a EnumType, minimum: f64) -> Option<Pair<'a>> {
    let (similarity, only_in_a, only_in_b) = similarity::overlap(&a.labels, &b.labels);
    let names = (a.plain_name.as_str(), b.plain_name.as_str());
    let reason = similarity::reason(names, similarity, minimum)?;
    Some(Pair { a, b, reason, similarity, only_in_a, only_in_b })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::interrupts::steps;
    use proptest::prelude::*;

    fn enum_type(name: &str, labels: Vec<String>) -> EnumType {
        EnumType { name: name.to_owned(), plain_name: name.to_owned(), labels, used_by: Vec::new() }
    }

    /// As many types as `count`, with names and labels of their own beside one label that all have.
    fn different(count: usize) -> Vec<EnumType> {
        let word = |number: usize, salt: usize| {
            let mut left = (number + 1) * 2_654_435_761 + salt * 40_503;
            (0..8)
                .map(|_| {
                    left = left.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    char::from(b'a' + ((left >> 33) % 26) as u8)
                })
                .collect::<String>()
        };
        (0..count)
            .map(|number| {
                let mut labels: Vec<_> = (1..5).map(|salt| word(number, salt)).collect();
                labels.push("active".to_owned());
                enum_type(&word(number, 0), labels)
            })
            .collect()
    }

    #[test]
    fn twice_the_types_take_about_twice_the_steps() {
        let steps_of = |count: usize| {
            let enums = different(count);
            let (steps, found) = steps(|| pairs(&enums, 0.8).count());
            assert_eq!(found, 0, "they are different");
            steps
        };
        let (once, twice) = (steps_of(1000), steps_of(2000));
        assert!(twice < once * 3, "{once} steps, then {twice}");
        assert!(twice < 2000 * 50, "each with each would be 2000 * 1000: {twice}");
    }

    proptest! {
        /// No pair is missed, and none comes twice or in another order.
        #[test]
        fn the_pairs_are_those_of_each_with_each(
            types in prop::collection::vec(("[ab_]{1,3}[a-c1]{2,4}(_enum)?", prop::collection::btree_set("[a-e]", 0..6)), 0..14),
            minimum in prop::sample::select(vec![0.0, 0.2, 1.0 / 3.0, 0.5, 0.6, 2.0 / 3.0, 0.75, 0.8, 1.0]),
        ) {
            let enums: Vec<_> = types
                .into_iter()
                .map(|(name, labels)| enum_type(&name, labels.into_iter().collect()))
                .collect();
            let mut each_with_each = Vec::new();
            for (place, a) in enums.iter().enumerate() {
                each_with_each.extend(enums[place + 1..].iter().filter_map(|b| compared(a, b, minimum)));
            }
            let shown = |pair: &Pair<'_>| {
                let at = |one: &EnumType| std::ptr::from_ref(one) as usize;
                (at(pair.a), at(pair.b), pair.reason.in_words(), pair.similarity.to_bits())
            };
            let found: Vec<_> = pairs(&enums, minimum).map(|pair| shown(&pair)).collect();
            prop_assert_eq!(found, each_with_each.iter().map(shown).collect::<Vec<_>>());
        }
    }
}
