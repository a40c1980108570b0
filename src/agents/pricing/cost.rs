//! The cost of calls at a price: a sum of products, each of a quantity and of its unit cost.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pgrx::AnyNumeric;
use pgrx::datum::Array;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::price::{Cost, Price, Row};
use super::sums::{Calls, decode, name, times};
use super::unit_costs::COUNTED;
use super::units::{input_units, quantities};
use crate::server::error::{Error, Kind};
use crate::server::jsonb::Document;
use crate::server::numeric_array::{Numeric, NumericArray};
use crate::server::packed::Text;

/// The number of documents with unit costs that a backend keeps. A report has as many as models were called.
const KEPT: usize = 1_000;

/// Prices by the document that holds their unit costs. A report asks once per line.
type Known = HashMap<Document, Rc<[Price]>, foldhash::fast::RandomState>;

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// The cost of a call in USD. It is the part of the views over calls that knows which unit cost holds.
///
/// `unit_costs`: an array of the unit costs of each price of the name, as in orchestrator.llm_prices_by_name; `place`: that
/// of the price in force, from 1; `service_tier`: the tier of the call; `n`: its whole input, in tokens; its tokens, each
/// in one argument; `units`: what else it used. Returns: the exact cost; NULL if an argument is NULL, no price was in
/// force, or a unit has no cost.
/// Errors: 22023 unit costs of another form. Since 0.9.0.
#[pg_extern(sql = false, immutable, parallel_safe)]
#[allow(clippy::too_many_arguments)]
fn llm_call_cost(
    unit_costs: Document,
    place: i32,
    service_tier: Text<'_>,
    n: i64,
    input_tokens: i64,
    output_tokens: i64,
    cache_read_tokens: i64,
    cache_write_tokens: i64,
    cache_write_1h_tokens: i64,
    reasoning_tokens: i64,
    units: Document,
) -> Result<Option<AnyNumeric>, ErrorReport> {
    let tokens = [
        input_tokens,
        output_tokens,
        cache_read_tokens,
        cache_write_tokens,
        cache_write_1h_tokens,
        reasoning_tokens,
    ];
    let call = Calls { n, units: quantities(&units)?, ..Calls::one(name(service_tier), tokens) };
    let prices = prices(&unit_costs)?;
    Ok(at(&prices, place).and_then(|price| price.cost(&call)).map(Cost::usd))
}

/// A line of a report about calls of one name on one UTC day.
///
/// `begins`: in order, the times from which the prices of the name are in force, NULL if it has none; `unit_costs`: an
/// array of the unit costs of each; `day`: the day; `sums`: of the calls, by the aggregate llm_usage_sums;
/// `reported_cost`: USD, the sum of the costs that were reported; NULL for none. Returns: the tokens of input, output,
/// cache_read, cache_write, cache_write_1h and reasoning, all tokens, the cost in USD, NULL if no call has one, and the
/// number of calls without a cost.
/// Errors: 22023 unit costs or sums of another form. Since 0.9.0.
#[pg_extern(sql = false, immutable, parallel_safe)]
fn llm_cost_line(
    begins: Option<Array<TimestampWithTimeZone>>,
    unit_costs: Option<Document>,
    day: Option<Date>,
    sums: Option<&[u8]>,
    reported_cost: Option<AnyNumeric>,
) -> Result<NumericArray, ErrorReport> {
    let prices = unit_costs.as_ref().map(prices).transpose()?;
    let begins = begins.as_ref().map(times).unwrap_or_default();
    let day = day.map_or(i64::MIN, first_moment);
    let mut tokens = [0_i128; COUNTED.len()];
    let mut cost = reported_cost.map(Cost::reported);
    let mut unpriced = 0_i64;
    for calls in decode(sums.unwrap_or_default())? {
        for (sum, more) in tokens.iter_mut().zip(calls.tokens) {
            *sum += i128::from(more);
        }
        if calls.is_reported {
            continue;
        }
        let place = begins.partition_point(|begins| *begins <= calls.moment.max(day));
        let price = prices.as_ref().zip(place.checked_sub(1));
        let more = price.and_then(|(prices, place)| prices.get(place)?.cost(&calls));
        match (cost.take(), more) {
            (sum, None) => {
                unpriced = unpriced.saturating_add(calls.calls);
                cost = sum;
            }
            (None, more) => cost = more,
            (Some(sum), Some(more)) => cost = Some(sum.plus(more)),
        }
    }
    let all = tokens.iter().sum();
    let tokens = tokens.into_iter().chain([all]).map(|sum| Some(Numeric::whole(sum)));
    let last = [cost.map(Cost::numeric), Some(Numeric::whole(unpriced.into()))];
    Ok(tokens.chain(last).collect())
}

/// The first moment of a UTC day, in microseconds of the server.
fn first_moment(day: Date) -> i64 {
    const DAY: i64 = 24 * 60 * 60 * 1_000_000;
    match day.to_pg_epoch_days() {
        i32::MIN => i64::MIN,
        i32::MAX => i64::MAX,
        days => i64::from(days) * DAY,
    }
}

/// The tokens among the units of a call that belong to its input, such as those of audio.
///
/// Returns: their number, at most 10^18. Errors: none. Since 0.9.0.
#[pg_extern(sql = false, immutable, parallel_safe)]
fn llm_input_units(units: Document) -> Result<i64, ErrorReport> {
    Ok(input_units(&units)?)
}

/// The units of a call that have no cost at the price in force.
///
/// `unit_costs`, `place`, `service_tier`, `n`, `units`: as of `llm_call_cost`. Returns: their names in order; NULL if an
/// argument is NULL. Errors: 22023 unit costs of another form. Since 0.9.0.
#[pg_extern(sql = false, immutable, parallel_safe)]
fn llm_unpriced_units(
    unit_costs: Document,
    place: i32,
    service_tier: Text<'_>,
    n: i64,
    units: Document,
) -> Result<Vec<String>, ErrorReport> {
    let prices = prices(&unit_costs)?;
    let Some(price) = at(&prices, place) else { return Ok(Vec::new()) };
    let units = quantities(&units)?.into_keys();
    Ok(units.filter(|unit| !price.has(unit, name(service_tier), n)).collect())
}

/// The price at a place, from 1.
fn at(prices: &[Price], place: i32) -> Option<&Price> {
    prices.get(usize::try_from(place).ok()?.checked_sub(1)?)
}

/// The prices whose unit costs a document holds: an array of arrays of rows.
pub fn prices(unit_costs: &Document) -> Result<Rc<[Price]>, Error> {
    KNOWN.with_borrow_mut(|known| {
        if let Some(prices) = known.get(unit_costs) {
            return Ok(Rc::clone(prices));
        }
        let rows = serde_json::from_str::<Vec<Vec<Row>>>(&unit_costs.text()).ok();
        let prices = rows.and_then(|rows| rows.into_iter().map(Price::new).collect());
        let prices: Rc<[Price]> = prices.ok_or_else(|| {
            Error::new(Kind::InvalidValue, "argument \"unit_costs\" is not a list of unit costs")
                .hint("Pass an array of the column unit_costs of orchestrator.llm_prices_by_name.")
        })?;
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(unit_costs.clone(), Rc::clone(&prices));
        Ok(prices)
    })
}
