//! The cost of calls at a price: a sum of products, each of a quantity and of its unit cost.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, pg_sys};
use smallvec::SmallVec;

use super::price::{Cost, Price, Row};
use super::sums::{Calls, DAY, each, name};
use super::unit_costs::{COUNTED, STANDARD};
use super::units::{input_units, quantities};
use crate::server::error::{Error, Kind};
use crate::server::jsonb::Document;
use crate::server::numeric_array::{Numeric, NumericArray};
use crate::server::packed::{Jsonb, Text};
use crate::server::unconverted::Arguments;

/// The number of documents with unit costs that a backend keeps. A report has as many as models were called.
const KEPT: usize = 1_000;

/// Prices by the document that holds their unit costs. A report asks once per line.
type Known = HashMap<Box<[u8]>, Rc<[Price]>, foldhash::fast::RandomState>;

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
    unit_costs: Jsonb,
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
    let prices = prices(unit_costs)?;
    Ok(at(&prices, place).and_then(|price| price.cost(&call)).map(Cost::usd))
}

/// A line of a report about calls of one name on one UTC day.
///
/// `begins`: in order, the times from which the prices of the name are in force, NULL if it has none; `unit_costs`: an
/// array of the unit costs of each; `day`: the day; `calls`, `input_tokens`, `output_tokens`: of all calls; `sums`: of those
/// that are special, by the aggregate llm_usage_sums, NULL for none; `reported_cost`: USD, the sum of the costs that were
/// reported; NULL for none. Returns: the cost in USD, NULL if no call has one; the number of calls without a cost; the
/// tokens of cache_read, cache_write, cache_write_1h and reasoning, and the sum of these; without the zeros at the end.
/// Errors: 22023 unit costs or sums of another form, or tokens that are no whole number. Since 0.9.0.
#[pg_extern(sql = r#"
CREATE FUNCTION "llm_cost_line"(
    begins timestamptz[], unit_costs jsonb, day date, calls bigint, input_tokens numeric,
    output_tokens numeric, sums bytea, reported_cost numeric
)
RETURNS numeric[]
LANGUAGE c /* Rust */ IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', '@FUNCTION_NAME@';
"#)]
fn llm_cost_line(fcinfo: pg_sys::FunctionCallInfo) -> Result<NumericArray, ErrorReport> {
    const BEGINS: usize = 0;
    const UNIT_COSTS: usize = 1;
    const DAYS: usize = 2;
    const CALLS: usize = 3;
    const INPUT_TOKENS: usize = 4;
    const OUTPUT_TOKENS: usize = 5;
    const SUMS: usize = 6;
    const REPORTED_COST: usize = 7;
    // SAFETY: the running call, of the types above.
    let arguments = unsafe { Arguments::of(fcinfo) };
    let prices = arguments.bytes(UNIT_COSTS).map(Jsonb).map(prices).transpose()?;
    let begins = arguments.longs(BEGINS);
    let day = arguments.days(DAYS).map_or(i64::MIN, first_moment);
    let reported = arguments.datum(REPORTED_COST);
    // SAFETY: a number of the server's.
    let reported = reported.and_then(|usd| unsafe { AnyNumeric::from_datum(usd, false) });
    let mut line = Line { cost: reported.map(Cost::reported), unpriced: 0 };
    let mut add = |calls: &Calls| {
        let begun = calls.moment.max(day);
        let place = begins.partition_point(|begins| i64::from_ne_bytes(*begins) <= begun);
        let price = prices.as_ref().zip(place.checked_sub(1));
        line.add(calls, price.and_then(|(prices, place)| prices.get(place)?.cost(calls)));
    };
    let mut plain = Calls::one(STANDARD, [0; COUNTED.len()]);
    plain.calls = arguments.long(CALLS).unwrap_or(0);
    plain.tokens[0] = sum_of_tokens("input_tokens", arguments.whole(INPUT_TOKENS))?;
    plain.tokens[1] = sum_of_tokens("output_tokens", arguments.whole(OUTPUT_TOKENS))?;
    let mut others = [0_i128; COUNTED.len() - 2];
    if let Some(sums) = arguments.bytes(SUMS) {
        each(sums, |calls| {
            let [input, output, special @ ..] = calls.tokens;
            for (sum, more) in others.iter_mut().zip(special) {
                *sum += more;
            }
            if calls.is_like(&plain) {
                // Its other tokens have the same price as its plain calls.
                for (sum, more) in plain.tokens.iter_mut().skip(2).zip(special) {
                    *sum += more;
                }
                return;
            }
            plain.calls = plain.calls.saturating_sub(calls.calls);
            plain.tokens[0] -= input;
            plain.tokens[1] -= output;
            if !calls.is_reported {
                add(&calls);
            }
        })?;
    }
    if plain.calls > 0 {
        add(&plain);
    }
    let all = others.iter().sum::<i128>();
    let numbers = [i128::from(line.unpriced)].into_iter().chain(others).chain([all]);
    let numbers: SmallVec<[i128; 8]> = numbers.collect();
    let length = numbers.iter().rposition(|number| *number != 0).map_or(0, |last| last + 1);
    let numbers = numbers.into_iter().take(length).map(|number| Some(Numeric::whole(number)));
    Ok([line.cost.map(Cost::numeric)].into_iter().chain(numbers).collect())
}

/// What a line says about the cost of its calls.
struct Line {
    cost: Option<Cost>,
    unpriced: i64,
}

impl Line {
    fn add(&mut self, calls: &Calls, cost: Option<Cost>) {
        match (self.cost.take(), cost) {
            (sum, None) => {
                self.unpriced = self.unpriced.saturating_add(calls.calls);
                self.cost = sum;
            }
            (None, more) => self.cost = more,
            (Some(sum), Some(more)) => self.cost = Some(sum.plus(more)),
        }
    }
}

/// Tokens of a line.
///
/// Errors: 22023 no whole number, or too large.
fn sum_of_tokens(argument: &str, tokens: Option<i128>) -> Result<i128, Error> {
    tokens.filter(|tokens| tokens.unsigned_abs() < 1 << 120).ok_or_else(|| {
        Error::new(Kind::InvalidValue, format!("argument \"{argument}\" is not a sum of tokens"))
            .hint("Read the cost of calls from view orchestrator.llm_cost_by_day.")
    })
}

/// The first moment of a UTC day, given in days of the server, in microseconds of the server.
fn first_moment(days: i32) -> i64 {
    match days {
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
    unit_costs: Jsonb,
    place: i32,
    service_tier: Text<'_>,
    n: i64,
    units: Document,
) -> Result<Vec<String>, ErrorReport> {
    let prices = prices(unit_costs)?;
    let Some(price) = at(&prices, place) else { return Ok(Vec::new()) };
    let units = quantities(&units)?.into_keys();
    Ok(units.filter(|unit| !price.has(unit, name(service_tier), n)).collect())
}

/// The price at a place, from 1.
fn at(prices: &[Price], place: i32) -> Option<&Price> {
    prices.get(usize::try_from(place).ok()?.checked_sub(1)?)
}

/// The prices whose unit costs a document holds: an array of arrays of rows.
pub fn prices(unit_costs: Jsonb) -> Result<Rc<[Price]>, Error> {
    KNOWN.with_borrow_mut(|known| {
        if let Some(prices) = known.get(unit_costs.0) {
            return Ok(Rc::clone(prices));
        }
        let rows = serde_json::from_str::<Vec<Vec<Row>>>(&Document::of(unit_costs).text()).ok();
        let prices = rows.and_then(|rows| rows.into_iter().map(Price::new).collect());
        let prices: Rc<[Price]> = prices.ok_or_else(|| {
            Error::new(Kind::InvalidValue, "argument \"unit_costs\" is not a list of unit costs")
                .hint("Pass an array of the column unit_costs of orchestrator.llm_prices_by_name.")
        })?;
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(unit_costs.0.into(), Rc::clone(&prices));
        Ok(prices)
    })
}
