//! Checks for arguments about a call of a language model: numbers of tokens, amounts, and points in time.

use pgrx::AnyNumeric;
use pgrx::prelude::*;

use crate::server::arguments;
use crate::server::error::{Error, Kind, required};

/// A number of tokens.
///
/// Errors: 22004, 22023 negative.
pub fn count(argument: &str, value: Option<i64>) -> Result<i64, Error> {
    let value = required(argument, value)?;
    if value < 0 {
        return Err(Error::new(Kind::InvalidValue, format!("{argument} {value} is negative")));
    }
    Ok(value)
}

/// An amount in USD.
///
/// Errors: 22004, 22023 negative, not below 10^12, or not a number.
pub fn usd(argument: &str, value: Option<AnyNumeric>) -> Result<AnyNumeric, Error> {
    let value = required(argument, value)?;
    if is_usd(&value) {
        return Ok(value);
    }
    let shown = arguments::shortened(value.normalize());
    Err(Error::new(Kind::InvalidValue, format!("{argument} {shown} is no amount"))
        .hint("An amount is in USD: 0 or more, and below 10^12."))
}

/// Whether an amount in USD is from 0 to below 10^12. NaN is greater than every number.
pub fn is_usd(usd: &AnyNumeric) -> bool {
    (AnyNumeric::from(0)..AnyNumeric::from(1_000_000_000_000_i64)).contains(usd)
}

/// A UTC day on which a price can begin: the server's days go on after its points in time end. NULL stays NULL.
///
/// Errors: 22023 infinity, or a day after the last point in time.
pub fn first_day(argument: &str, day: Option<Date>) -> Result<Option<Date>, Error> {
    /// 294276-12-31, counted from 2000-01-01 as the server does.
    const LAST: i32 = 106_751_982;
    let problem = match day {
        Some(day) if day.is_infinity() || day.is_neg_infinity() => "must be a finite day",
        Some(day) if day.to_pg_epoch_days() > LAST => "must be a day before the year 294277",
        _ => return Ok(day),
    };
    Err(Error::new(Kind::InvalidValue, format!("argument \"{argument}\" {problem}")))
}

/// A finite point in time; NULL means now.
///
/// Errors: 22023 infinity.
pub fn moment(
    argument: &str,
    value: Option<TimestampWithTimeZone>,
) -> Result<TimestampWithTimeZone, Error> {
    let value = value.unwrap_or_else(pgrx::datum::now);
    if value.is_infinity() || value.is_neg_infinity() {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("argument \"{argument}\" must be a finite time"),
        ));
    }
    Ok(value)
}
