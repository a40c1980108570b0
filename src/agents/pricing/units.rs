//! What a call used besides its counted tokens: an object of numbers.

use std::collections::BTreeMap;

use pgrx::AnyNumeric;
use serde_json::value::RawValue;

use super::unit_costs::is_input;
use crate::server::error::{Error, Kind};
use crate::server::jsonb::Document;

/// The most of a unit, so that the whole input of a call is a bigint.
const MOST: i64 = 1_000_000_000_000_000_000;

/// The tokens among units that belong to the input, at most 10^18.
pub fn input_units(units: &Document) -> Result<i64, Error> {
    let mut sum = AnyNumeric::from(0);
    for (unit, quantity) in quantities(units)? {
        if is_input(&unit) {
            sum += quantity;
        }
    }
    let most = AnyNumeric::from(MOST);
    Ok(if sum < most { i64::try_from(sum.ceil()).unwrap_or(MOST) } else { MOST })
}

/// Whether a document is an object of numbers from 0 to 10^18.
pub fn are_units(units: &Document) -> bool {
    let range = AnyNumeric::from(0)..=AnyNumeric::from(MOST);
    units.is_empty_object()
        || quantities(units).is_ok_and(|units| units.values().all(|number| range.contains(number)))
}

/// The units of a call that are more than none, each with its exact quantity, in the order of their names.
pub fn quantities(units: &Document) -> Result<BTreeMap<String, AnyNumeric>, Error> {
    if units.is_empty_object() {
        return Ok(BTreeMap::new());
    }
    // As serde_json::Value, a quantity would be rounded.
    let quantity = |(unit, number): (String, Box<RawValue>)| {
        AnyNumeric::try_from(number.get()).ok().map(|quantity| (unit, quantity))
    };
    serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(&units.text())
        .ok()
        .and_then(|units| units.into_iter().map(quantity).collect::<Option<BTreeMap<_, _>>>())
        .ok_or_else(|| {
            Error::new(Kind::InvalidValue, "argument \"units\" is not an object of numbers")
                .hint("Write the units as {\"web_search\": 2}, with a number for each.")
        })
        .map(|mut units| {
            let zero = AnyNumeric::from(0);
            units.retain(|_, quantity| *quantity != zero);
            units
        })
}
