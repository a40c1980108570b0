//! Floats in place of decimals. Decision `floats-have-forms-of-their-own`.

use pgrx::AnyNumeric;

use super::error::{Error, Kind};

/// The shortest decimal that reads back as this float, so that 0.1 is 0.1. NaN and infinities stay what
/// they are.
pub fn decimal(float: f64) -> Result<AnyNumeric, Error> {
    let text = float.to_string();
    AnyNumeric::try_from(text.as_str())
        .map_err(|error| Error::new(Kind::Internal, format!("no number {text}: {error}")))
}
