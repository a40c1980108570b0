//! Ages of rows: given by the caller, set in configurations, or by default; and the time before
//! which a row is older than an age.

use pgrx::datum::Interval;
use pgrx::prelude::*;

use crate::configuration;
use crate::server::error::{Error, Kind};
use crate::server::rows;
use crate::server::statements::Statement;

/// An age that is set in configurations.
pub struct Lifetime {
    /// The key of the configuration.
    pub key: &'static str,
    pub unit: Unit,
    /// The number of units if it is not set.
    pub default: f64,
}

#[derive(Clone, Copy)]
pub enum Unit {
    Seconds,
    Days,
}

impl Unit {
    fn interval(self) -> &'static str {
        match self {
            Unit::Seconds => "1 second",
            Unit::Days => "1 day",
        }
    }

    fn seconds(self) -> f64 {
        match self {
            Unit::Seconds => 1.0,
            Unit::Days => 86_400.0,
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Unit::Seconds => "seconds",
            Unit::Days => "days",
        }
    }
}

/// The longest age. Now minus this age is still a time that the server can represent.
const LONGEST_YEARS: i32 = 6000;
const LONGEST_SECONDS: f64 = LONGEST_YEARS as f64 * 365.25 * 86_400.0;

/// The time before which a row is older than `age`.
///
/// Errors: 22023 the age is negative, longer than 6000 years, or leads into the future.
pub fn before(argument: &str, age: Interval) -> Result<TimestampWithTimeZone, Error> {
    static BEFORE: Statement = Statement::new(
        "SELECT pg_catalog.now() OPERATOR(pg_catalog.-) $1 AS before, \
            (pg_catalog.now() OPERATOR(pg_catalog.-) $1) OPERATOR(pg_catalog.<=) pg_catalog.now() AS is_past",
    );
    let age = not_negative(argument, age)?;
    let (before, past) = BEFORE.select(&[age.into()], |rows| {
        let row = rows.first();
        let before = rows::value::<TimestampWithTimeZone>(&row, 1, "before")?;
        Ok((before, rows::value::<bool>(&row, 2, "is_past")?))
    })?;
    // As a length, -12 months and 361 days are one day, because a month counts as 30 days.
    // Subtracted from now they lead into the future.
    if !past {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("argument \"{argument}\" must not lead into the future"),
        ));
    }
    Ok(before)
}

/// The same for an age that may be NULL, which means the configured age.
///
/// Errors: 22023 the age is negative, or the configuration is not an age.
pub fn before_or_configured(
    argument: &str,
    age: Option<Interval>,
    lifetime: &Lifetime,
) -> Result<TimestampWithTimeZone, Error> {
    static BEFORE: Statement = Statement::new(
        "SELECT pg_catalog.now() OPERATOR(pg_catalog.-) ($1 OPERATOR(pg_catalog.*) $2::interval) AS before",
    );
    if let Some(age) = age {
        return before(argument, age);
    }
    let units = set_or_default(lifetime)?;
    let arguments = [units.into(), lifetime.unit.interval().into()];
    BEFORE.select(&arguments, |rows| rows::only(rows, "before"))
}

/// Whether an interval is too long. The server subtracts months, days and the rest one after
/// another, so a negative part does not make up for a positive one.
fn is_too_long(value: &Interval) -> bool {
    const MONTH: i128 = 31 * DAY;
    const DAY: i128 = 86_400_000_000;
    let parts = [
        i128::from(value.months()) * MONTH,
        i128::from(value.days()) * DAY,
        i128::from(value.micros()),
    ];
    parts.iter().filter(|part| **part > 0).sum::<i128>() > i128::from(LONGEST_YEARS) * 12 * MONTH
}

/// An interval that is zero or more, and not too long.
fn not_negative(argument: &str, value: Interval) -> Result<Interval, Error> {
    let refused = |rule: String| {
        Error::new(Kind::InvalidValue, format!("argument \"{argument}\" must not be {rule}"))
    };
    if value.as_micros() < 0 {
        return Err(refused("negative".to_owned()));
    }
    if is_too_long(&value) {
        return Err(refused(format!("longer than {LONGEST_YEARS} years")));
    }
    Ok(value)
}

/// The configured age, or the default if it is not set.
///
/// Errors: 22023 the configuration is not an age.
pub fn configured(lifetime: &Lifetime) -> Result<Interval, Error> {
    interval(set_or_default(lifetime)?, lifetime.unit)
}

/// An age in configurations that has no default, but a least value.
pub struct Bounded {
    pub key: &'static str,
    pub unit: Unit,
    pub least: f64,
    /// The number in the hint.
    pub example: f64,
}

/// A configured age.
pub struct Age {
    pub length: Interval,
    /// Whether only admins may see it.
    pub is_secret: bool,
}

/// The configured age; `None` if it is not set.
///
/// Errors: 22023 the configuration is not an age, or too small.
pub fn configured_only(bounded: &Bounded) -> Result<Option<Age>, Error> {
    let Bounded { key, unit, least, example } = *bounded;
    let Some(Units { units, is_secret }) = set(key, unit, example)? else { return Ok(None) };
    if units < least {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("configuration \"{key}\" is less than {least}"),
        )
        .hint(format!(
            "Set a greater number of {}, {}",
            unit.in_words(),
            example_of(key, example)
        )));
    }
    Ok(Some(Age { length: interval(units, unit)?, is_secret }))
}

fn interval(units: f64, unit: Unit) -> Result<Interval, Error> {
    static AGE: Statement = Statement::new("SELECT $1 OPERATOR(pg_catalog.*) $2::interval AS age");
    let arguments = [units.into(), unit.interval().into()];
    AGE.select(&arguments, |rows| rows::only(rows, "age"))
}

/// A configured number of units.
struct Units {
    units: f64,
    is_secret: bool,
}

/// The number of units in a configuration; `None` if it is not set.
fn set(key: &str, unit: Unit, example: f64) -> Result<Option<Units>, Error> {
    let Some(number) = configuration::number(key)? else { return Ok(None) };
    let units = number.value.filter(|units| is_age(*units, unit));
    let units = units.ok_or_else(|| no_age(key, unit, example))?;
    Ok(Some(Units { units, is_secret: number.is_secret }))
}

/// The number of units in a configuration, or the default if it is not set.
fn set_or_default(lifetime: &Lifetime) -> Result<f64, Error> {
    let set = set(lifetime.key, lifetime.unit, lifetime.default)?;
    Ok(set.map_or(lifetime.default, |set| set.units))
}

/// Whether a number of units is an age: not negative, and 6000 years at most.
fn is_age(units: f64, unit: Unit) -> bool {
    (0.0..=LONGEST_SECONDS / unit.seconds()).contains(&units)
}

fn no_age(key: &str, unit: Unit, example: f64) -> Error {
    Error::new(
        Kind::InvalidValue,
        format!("configuration \"{key}\" is not a number of {}", unit.in_words()),
    )
    .hint(format!(
        "Set a number that is not negative and not more than 6000 years, {}",
        example_of(key, example)
    ))
}

fn example_of(key: &str, example: f64) -> String {
    format!("for example SELECT orchestrator.set_configuration('{key}', '{example}', 'integer');")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ages_are_not_negative_and_not_too_long() {
        for age in [14.0, 0.5, 0.0, 2_191_500.0] {
            assert!(is_age(age, Unit::Days), "{age}");
        }
        for none in [-1.0, 2_200_000.0, f64::INFINITY, f64::NAN] {
            assert!(!is_age(none, Unit::Days), "{none}");
        }
    }

    proptest! {
        #[test]
        fn no_other_number_is_an_age(number in any::<f64>()) {
            prop_assert_eq!(is_age(number, Unit::Seconds), (0.0..=LONGEST_SECONDS).contains(&number));
        }
    }
}
