//! Checks for arguments about a call of a language model: numbers of tokens, and points in time.

use pgrx::prelude::*;

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
