//! The cost of calls at a price: a sum of products, each of a quantity and of its unit cost.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use pgrx::AnyNumeric;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::value::RawValue;

use super::unit_costs::{COUNTED, UnitCost, UnitCosts, is_input};
use crate::server::error::{Error, Kind};
use crate::server::jsonb::Document;

/// The number of prices whose unit costs a backend keeps. A report has as many as models were called.
const KEPT: usize = 1_000;

thread_local! {
    /// The unit costs of prices, by the document that holds them.
    static KNOWN: RefCell<HashMap<Document, Rc<UnitCosts<AnyNumeric>>>> = RefCell::default();
}

/// The cost in USD of calls with the same tier, the same units and a whole input of the same step. It is the part of the
/// views over calls that knows which unit cost holds.
///
/// `unit_costs`: those of a price, as in orchestrator.llm_prices_by_name; `service_tier`: the tier of the calls; `n`: the
/// whole input of one of them, in tokens; the tokens of all calls, each in one argument; `units`: what else one call
/// used; `calls`: their number. Returns: the exact cost; NULL if an argument is NULL or a unit has no cost.
/// Errors: 22023 unit costs of another form. Since 0.9.0.
#[pg_extern(sql = false, immutable, parallel_safe)]
#[allow(clippy::too_many_arguments)]
fn llm_cost_of_calls(
    unit_costs: Document,
    service_tier: &str,
    n: i64,
    input_tokens: AnyNumeric,
    cache_read_tokens: AnyNumeric,
    cache_write_tokens: AnyNumeric,
    cache_write_1h_tokens: AnyNumeric,
    output_tokens: AnyNumeric,
    reasoning_tokens: AnyNumeric,
    units: Document,
    calls: i64,
) -> Result<Option<AnyNumeric>, ErrorReport> {
    let costs = known(&unit_costs)?;
    let tokens = [
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        cache_write_1h_tokens,
        reasoning_tokens,
    ];
    Ok(cost(&costs, service_tier, n, tokens, &units, calls)?)
}

/// The tokens among the units of a call that belong to its input, such as those of audio.
///
/// Returns: their number, at most 10^18. Errors: none. Since 0.9.0.
#[pg_extern(sql = false, immutable, parallel_safe)]
fn llm_input_units(units: Document) -> Result<i64, ErrorReport> {
    Ok(input_units(&units)?)
}

/// The tokens among units that belong to the input, at most 10^18.
pub fn input_units(units: &Document) -> Result<i64, Error> {
    const MOST: i64 = 1_000_000_000_000_000_000;
    let mut sum = AnyNumeric::from(0);
    for (unit, quantity) in quantities(units)? {
        if is_input(&unit) {
            sum += quantity;
        }
    }
    let most = AnyNumeric::from(MOST);
    Ok(if sum < most { i64::try_from(sum.ceil()).unwrap_or(MOST) } else { MOST })
}

/// The units of a call that have no cost at a price.
///
/// `unit_costs`, `service_tier`, `n`, `units`: as of `llm_cost_of_calls`. Returns: their names in order.
/// Errors: 22023 unit costs of another form. Since 0.9.0.
#[pg_extern(sql = false, immutable, parallel_safe)]
fn llm_unpriced_units(
    unit_costs: Document,
    service_tier: &str,
    n: i64,
    units: Document,
) -> Result<Vec<String>, ErrorReport> {
    let costs = known(&unit_costs)?;
    let units = quantities(&units)?.into_keys();
    Ok(units.filter(|unit| costs.of(unit, service_tier, n).is_none()).collect())
}

/// `tokens`: in the order of `COUNTED`.
pub fn cost(
    costs: &UnitCosts<AnyNumeric>,
    service_tier: &str,
    n: i64,
    tokens: [AnyNumeric; COUNTED.len()],
    units: &Document,
    calls: i64,
) -> Result<Option<AnyNumeric>, Error> {
    let zero = AnyNumeric::from(0);
    let mut sum = zero.clone();
    for (component, quantity) in COUNTED.iter().zip(tokens).filter(|(_, tokens)| *tokens != zero) {
        let Some(usd) = costs.of(component, service_tier, n) else { return Ok(None) };
        sum += quantity * usd.clone();
    }
    for (unit, quantity) in quantities(units)? {
        let Some(usd) = costs.of(&unit, service_tier, n) else { return Ok(None) };
        sum += quantity * usd.clone() * calls;
    }
    Ok(Some(sum))
}

/// The unit costs that a document holds: an array of arrays of component, tier, step and cost.
pub fn known(document: &Document) -> Result<Rc<UnitCosts<AnyNumeric>>, Error> {
    KNOWN.with_borrow_mut(|known| {
        if let Some(costs) = known.get(document) {
            return Ok(Rc::clone(costs));
        }
        let rows = serde_json::from_str::<Vec<Row>>(&document.text());
        let costs = rows.ok().and_then(|rows| rows.into_iter().filter_map(unit_cost).collect());
        let costs = costs.map(|costs| Rc::new(UnitCosts(costs))).ok_or_else(|| {
            Error::new(Kind::InvalidValue, "argument \"unit_costs\" is not a list of unit costs")
                .hint("Pass the column unit_costs of orchestrator.llm_prices_by_name.")
        })?;
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(document.clone(), Rc::clone(&costs));
        Ok(costs)
    })
}

/// Component, service tier, step, and USD per unit.
type Row = (String, String, i64, Option<String>);

/// `None`: the price says nothing, because somebody has let its column be null. `Some(None)`: no number.
fn unit_cost(
    (component, service_tier, above_input, usd): Row,
) -> Option<Option<UnitCost<AnyNumeric>>> {
    let usd = AnyNumeric::try_from(usd?.as_str()).ok();
    Some(usd.map(|usd| UnitCost { component, service_tier, above_input, usd }))
}

/// The units of a call that are more than none, each with its exact quantity, in the order of their names.
fn quantities(units: &Document) -> Result<BTreeMap<String, AnyNumeric>, Error> {
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
