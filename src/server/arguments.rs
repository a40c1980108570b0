//! Checks for text arguments: not blank, not too long, one of a fixed set.

use pgrx::datum::Interval;

use crate::server::error::{Error, Kind, required};

/// The text of a required argument that must not be blank.
pub fn filled<'a>(argument: &str, value: Option<&'a str>) -> Result<&'a str, Error> {
    let value = required(argument, value)?;
    if is_blank(value) {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("argument \"{argument}\" must not be blank"),
        ));
    }
    Ok(value)
}

/// The longest name in characters. Names are indexed, and an index row has room for this many
/// characters of any alphabet.
const LONGEST_NAME: usize = 500;

/// The text of a required argument that names someone or something: not blank, and not too long.
pub fn name<'a>(argument: &str, value: Option<&'a str>) -> Result<&'a str, Error> {
    let value = filled(argument, value)?;
    let length = value.chars().count();
    if length > LONGEST_NAME {
        return Err(Error::new(
            Kind::InvalidValue,
            format!("argument \"{argument}\" has {length} characters"),
        )
        .hint(format!("A name has {LONGEST_NAME} characters at most.")));
    }
    Ok(value)
}

/// A name without spaces around it; NULL stays NULL.
///
/// Errors: 22023 blank or overlong.
pub fn trimmed<'a>(argument: &str, value: Option<&'a str>) -> Result<Option<&'a str>, Error> {
    value.map(|value| name(argument, Some(value.trim()))).transpose()
}

/// Whether a text is empty or has nothing but white space of any kind. The CHECKs of the tables look
/// for spaces alone, so they refuse nothing that passes here.
pub fn is_blank(value: &str) -> bool {
    value.trim().is_empty()
}

/// A word that must be one of `allowed`.
pub fn one_of<'a>(argument: &str, value: &'a str, allowed: &[&str]) -> Result<&'a str, Error> {
    if allowed.contains(&value) {
        return Ok(value);
    }
    Err(none_of(argument, value, allowed))
}

/// The error for a word that is none of `allowed`.
pub fn none_of(argument: &str, value: &str, allowed: &[&str]) -> Error {
    Error::new(Kind::InvalidValue, format!("invalid {argument} \"{value}\""))
        .hint(format!("Allowed: {}.", allowed.join(", ")))
}

/// A length of time in an argument: not negative, and at most a hundred years, which every time of the
/// server can be moved by.
///
/// Errors: 22023.
pub fn length(argument: &str, value: Interval) -> Result<Interval, Error> {
    // As the server compares intervals: a month counts as 30 days.
    const LONGEST: i128 = 100 * 12 * 30 * 86_400_000_000;
    let refused = |rule: &str| {
        Error::new(Kind::InvalidValue, format!("argument \"{argument}\" must not be {rule}"))
    };
    match value.as_micros() {
        micros if micros < 0 => Err(refused("negative")),
        micros if micros > LONGEST => Err(refused("longer than 100 years")),
        _ => Ok(value),
    }
}

/// The same for a length that is longer than zero.
///
/// Errors: 22023.
pub fn positive_length(argument: &str, value: Interval) -> Result<Interval, Error> {
    let value = length(argument, value)?;
    if value.as_micros() == 0 {
        let message = format!("argument \"{argument}\" must be longer than zero");
        return Err(Error::new(Kind::InvalidValue, message));
    }
    Ok(value)
}

/// `1 row`, `2 rows`.
pub fn counted(number: i64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// A number for a message: numeric has up to 131,072 digits before the decimal point.
pub fn shortened(decimal: &str) -> String {
    const SHOWN: usize = 30;
    match decimal.get(..SHOWN) {
        Some(start) if decimal.len() > SHOWN => format!("{start}..."),
        _ => decimal.to_owned(),
    }
}
