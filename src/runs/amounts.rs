//! Checks for arguments of runs and reviews: scores, amounts and lists.

use pgrx::AnyNumeric;

use crate::server::arguments::shortened;
use crate::server::error::{Error, Kind, required, without_nulls};

/// The greatest number of digits of a cost before the decimal point.
const WHOLE_DIGITS: usize = 8;

/// A safety score, from 0 to 1.
///
/// Errors: 22004, 22023 outside that range.
pub fn score(argument: &str, value: Option<AnyNumeric>) -> Result<AnyNumeric, Error> {
    let value = required(argument, value)?;
    if (AnyNumeric::from(0)..=AnyNumeric::from(1)).contains(&value) {
        return Ok(value);
    }
    Err(Error::new(
        Kind::InvalidValue,
        format!("{argument} {} is not between 0 and 1", shortened(value.normalize())),
    )
    .hint("A score is a number from 0 (unsafe) to 1 (safe)."))
}

/// A number of tokens to add; NULL means none.
pub fn tokens(value: Option<i64>) -> Result<i64, Error> {
    let tokens = value.unwrap_or(0);
    if tokens < 0 {
        return Err(Error::new(Kind::InvalidValue, format!("tokens {tokens} is negative"))
            .hint("Tokens are added to those of the run; they cannot be taken off."));
    }
    Ok(tokens)
}

/// A cost in USD to add; NULL means none.
pub fn cost(value: Option<AnyNumeric>) -> Result<AnyNumeric, Error> {
    let cost = value.unwrap_or_else(|| AnyNumeric::from(0));
    match unfit(cost.normalize()) {
        None => Ok(cost),
        Some(problem) => Err(Error::new(
            Kind::InvalidValue,
            format!("cost {} {problem}", shortened(cost.normalize())),
        )
        .hint("A cost is in USD: 0 or more, and below 100000000.")),
    }
}

/// The fault of a cost that is given in its shortest decimal form.
fn unfit(decimal: &str) -> Option<&'static str> {
    let (whole, _) = decimal.split_once('.').unwrap_or((decimal, ""));
    if decimal.starts_with('-') {
        Some("is negative")
    } else if !decimal.starts_with(|first: char| first.is_ascii_digit()) {
        Some("is not a finite number")
    } else if whole.len() > WHOLE_DIGITS {
        Some("is too high")
    } else {
        None
    }
}

/// Texts to add to a list; NULL means none.
pub fn texts(argument: &str, value: Option<Vec<Option<String>>>) -> Result<Vec<String>, Error> {
    without_nulls(argument, value.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_that_cannot_be_added_are_refused() {
        for decimal in ["0", "0.00000000000001", "99999999.9999999999"] {
            assert_eq!(unfit(decimal), None, "{decimal}");
        }
        for decimal in ["-0.01", "-Infinity", "Infinity", "NaN", "100000000", "1000000000.5"] {
            assert!(unfit(decimal).is_some(), "{decimal}");
        }
    }
}
