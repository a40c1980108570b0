//! How long things live: an age that the caller gives, or one set in configurations, or the
//! default; and the time before which something is older than that.

use pgrx::JsonB;
use pgrx::datum::Interval;
use pgrx::prelude::*;
use serde_json::Value;

use crate::configuration;
use crate::error::{Error, Kind};
use crate::plans;
use crate::rows;

/// An age that is set in configurations.
pub struct Lifetime {
    /// The key of the configuration.
    pub key: &'static str,
    pub unit: Unit,
    /// How many units, when it is not set.
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

/// The longest age: taken from now, it leaves a time that the server can hold.
const LONGEST_YEARS: i32 = 6000;
const LONGEST_SECONDS: f64 = LONGEST_YEARS as f64 * 365.25 * 86_400.0;

/// The time before which something is older than `age`.
///
/// Errors: 22023 negative, or longer than 6000 years, or one whose parts lead into the future.
pub fn before(argument: &str, age: Interval) -> Result<TimestampWithTimeZone, Error> {
    const BEFORE: &str = "SELECT pg_catalog.now() OPERATOR(pg_catalog.-) $1, \
            (pg_catalog.now() OPERATOR(pg_catalog.-) $1) OPERATOR(pg_catalog.<=) pg_catalog.now()";
    let age = not_negative(argument, age)?;
    let (before, past) = plans::select(BEFORE, &[age.into()], |rows| {
        let row = rows.first();
        let before = rows::value::<TimestampWithTimeZone>(&row, 1, "now() - age")?;
        Ok((before, rows::value::<bool>(&row, 2, "now() - age")?))
    })?;
    // As a length alone -12 months and 361 days are one day, a month being 30; from now they lead
    // into the future.
    if !past {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("argument \"{argument}\" must not lead into the future"),
        ));
    }
    Ok(before)
}

/// The same for an age that may be NULL: then it is the configured one.
///
/// Errors: 22023 negative, or the configuration is no number that could be an age.
pub fn before_or_configured(
    argument: &str,
    age: Option<Interval>,
    lifetime: &Lifetime,
) -> Result<TimestampWithTimeZone, Error> {
    const BEFORE: &str =
        "SELECT pg_catalog.now() OPERATOR(pg_catalog.-) ($1 OPERATOR(pg_catalog.*) $2::interval)";
    if let Some(age) = age {
        return before(argument, age);
    }
    let units = set(lifetime.key, lifetime.unit, lifetime.default)?.unwrap_or(lifetime.default);
    let arguments = [units.into(), lifetime.unit.interval().into()];
    plans::select(BEFORE, &arguments, |rows| rows::only(rows, "now() - age"))
}

/// Whether it is too long. The server takes months, days and the rest off one after another, so
/// what a negative part makes up for counts too.
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

/// A length of time, which may be zero.
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

/// The configured age, or else the default.
///
/// Errors: 22023 the configuration is no number that could be an age.
pub fn configured(lifetime: &Lifetime) -> Result<Interval, Error> {
    let units = set(lifetime.key, lifetime.unit, lifetime.default)?.unwrap_or(lifetime.default);
    interval(units, lifetime.unit)
}

/// An age that is set in configurations or not at all, and has a least value.
pub struct Bounded {
    pub key: &'static str,
    pub unit: Unit,
    pub least: f64,
    /// What stands in the hint.
    pub example: f64,
}

/// The configured age, when there is one.
///
/// Errors: 22023 the configuration is no number that could be an age, or too small.
pub fn configured_only(bounded: &Bounded) -> Result<Option<Interval>, Error> {
    let Bounded { key, unit, least, example } = *bounded;
    let Some(units) = set(key, unit, example)? else { return Ok(None) };
    if units < least {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("configuration \"{key}\" is less than {least}"),
        )
        .hint(format!(
            "It is a number of {}, {}",
            unit.in_words(),
            example_of(key, example)
        )));
    }
    interval(units, unit).map(Some)
}

fn interval(units: f64, unit: Unit) -> Result<Interval, Error> {
    const AGE: &str = "SELECT $1 OPERATOR(pg_catalog.*) $2::interval";
    let arguments = [units.into(), unit.interval().into()];
    plans::select(AGE, &arguments, |rows| rows::only(rows, "age"))
}

/// How many units a configuration sets, when it is there.
fn set(key: &str, unit: Unit, example: f64) -> Result<Option<f64>, Error> {
    let Some(value) = configuration::typed::<JsonB>(key)? else { return Ok(None) };
    amount(&value.0, unit).map(Some).ok_or_else(|| no_age(key, unit, example))
}

/// A configured value as a number of units: a number, or a text that is one, of 6000 years at most.
fn amount(value: &Value, unit: Unit) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| (0.0..=LONGEST_SECONDS / unit.seconds()).contains(number))
}

fn no_age(key: &str, unit: Unit, example: f64) -> Error {
    Error::new(
        Kind::InvalidValue,
        format!("configuration \"{key}\" is not a number of {}", unit.in_words()),
    )
    .hint(format!(
        "A number that is not negative and no longer than 6000 years, {}",
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
    use serde_json::json;

    #[test]
    fn numbers_are_ages_however_they_were_set() {
        assert_eq!(amount(&json!(14), Unit::Days), Some(14.0));
        assert_eq!(amount(&json!(0.5), Unit::Days), Some(0.5));
        assert_eq!(amount(&json!("14"), Unit::Days), Some(14.0));
        assert_eq!(amount(&json!(0), Unit::Days), Some(0.0));
        for none in [
            json!(-1),
            json!(2_200_000),
            json!("inf"),
            json!("NaN"),
            json!("a week"),
            json!(true),
            json!(null),
            json!([7]),
        ] {
            assert_eq!(amount(&none, Unit::Days), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_negative(text in any::<String>()) {
            prop_assert!(amount(&Value::String(text), Unit::Seconds).is_none_or(|number| number >= 0.0));
        }
    }
}
