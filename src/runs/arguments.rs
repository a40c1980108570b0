//! What the functions of runs and reviews are given: scores, sums and lists.

use pgrx::AnyNumeric;

use crate::error::{Error, Kind, required};
use crate::text::shortened;

/// Digits of a cost before the decimal point.
const WHOLE_DIGITS: usize = 8;

/// A safety score, from 0 to 1.
///
/// Errors: 22004, 22023 outside that range.
pub fn score(argument: &str, value: Option<AnyNumeric>) -> Result<Score, Error> {
    let value = required(argument, value)?;
    match number(value.normalize()).filter(|number| (0.0..=1.0).contains(number)) {
        Some(number) => Ok(Score { exact: value, number }),
        None => Err(Error::new(
            Kind::InvalidValue,
            format!("{argument} {} is not a score", shortened(value.normalize())),
        )
        .hint("A score is a number from 0, unsafe, to 1, safe.")),
    }
}

/// A safety score as it was given.
pub struct Score {
    pub exact: AnyNumeric,
    pub number: f64,
}

/// Tokens that are added.
pub fn tokens(value: Option<i64>) -> Result<i64, Error> {
    let tokens = required("tokens", value)?;
    if tokens < 0 {
        return Err(Error::new(Kind::InvalidValue, format!("tokens {tokens} is negative"))
            .hint("What was used is added; nothing takes it back."));
    }
    Ok(tokens)
}

/// Cost in USD that is added.
pub fn cost(value: Option<AnyNumeric>) -> Result<AnyNumeric, Error> {
    let cost = required("cost", value)?;
    match unfit(cost.normalize()) {
        None => Ok(cost),
        Some(problem) => Err(Error::new(
            Kind::InvalidValue,
            format!("cost {} {problem}", shortened(cost.normalize())),
        )
        .hint("A cost is in USD: 0 or more, and below 100000000.")),
    }
}

/// What is wrong with a cost in its shortest decimal form.
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

/// Texts that are added to a list.
pub fn texts(argument: &str, value: Option<Vec<Option<String>>>) -> Result<Vec<String>, Error> {
    required(argument, value)?.into_iter().map(|text| required(argument, text)).collect()
}

/// A number in its shortest decimal form. Scores are compared as doubles: two that differ stay in
/// order, or fall together where nobody can tell them apart.
fn number(decimal: &str) -> Option<f64> {
    decimal.parse::<f64>().ok().filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn costs_that_cannot_be_added_are_refused() {
        for decimal in ["0", "0.00000000000001", "99999999.9999999999"] {
            assert_eq!(unfit(decimal), None, "{decimal}");
        }
        for decimal in ["-0.01", "-Infinity", "Infinity", "NaN", "100000000", "1000000000.5"] {
            assert!(unfit(decimal).is_some(), "{decimal}");
        }
    }

    #[test]
    fn what_is_no_finite_number_is_none() {
        assert_eq!(number("0.70"), Some(0.7));
        for text in ["NaN", "Infinity", "-Infinity", "", "high"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    proptest! {
        /// A score of as many digits as one likes is below a threshold exactly when its decimals say so.
        #[test]
        fn scores_stay_in_order(score in 0u32..=100_000, threshold in 0u32..=100_000) {
            let decimal = |value: u32| format!("{}.{:05}", value / 100_000, value % 100_000);
            let below = number(&decimal(score)) < number(&decimal(threshold));
            prop_assert_eq!(below, score < threshold);
        }
    }
}
