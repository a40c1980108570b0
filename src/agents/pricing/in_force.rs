//! The price in force for a name: that of the model, else that of an alias.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AnyNumeric, Uuid};

use super::cost;
use super::price::Cost;
use super::sums::{Calls, whole_input};
use super::unit_costs::STANDARD;
use super::units::{input_units, quantities};
use crate::agents::amounts::{count, moment};
use crate::server::arguments;
use crate::server::error::{Error, required};
use crate::server::jsonb::Document;
use crate::server::rows;
use crate::server::statements::{self, Statement};

/// The cost of a call in USD by the price in force at its time.
///
/// `model`: a name of orchestrator.llm_prices_by_name; `input_tokens`, `output_tokens`: not negative; `at`: the time of
/// the call. Returns: the exact cost; NULL if there was no price.
/// Errors: 22004, 22023 negative count, or an infinite time. Since 0.9.0.
#[pg_extern(sql = false, stable)]
fn llm_cost_0_9_0(
    model: Option<&str>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    at: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<Option<AnyNumeric>, ErrorReport> {
    let call = Call {
        model: required("model", model)?,
        service_tier: STANDARD,
        tokens: [
            count("input_tokens", input_tokens)?,
            count("output_tokens", output_tokens)?,
            0,
            0,
            0,
            0,
        ],
        units: &Document::empty_object(),
        at: moment("at", at)?,
    };
    Ok(call.cost()?)
}

/// The cost of a call that is about to be made, by the price in force now: what `reserve_budget` is to reserve.
///
/// `model`: a name of orchestrator.llm_prices_by_name; `input_tokens`: those of the prompt, all of them at the price of
/// input; `max_output_tokens`: the most that the model may answer; both not negative; `service_tier`: the tier of the call.
/// Returns: the exact cost in USD; NULL if there is no price.
/// Errors: 22004, 22023 negative count, or a blank or overlong tier. Since 0.9.2.
#[pg_extern(sql = false, stable, parallel_restricted)]
fn estimate_cost(
    model: Option<&str>,
    input_tokens: Option<i64>,
    max_output_tokens: Option<i64>,
    service_tier: default!(Option<&str>, "'standard'"),
) -> Result<Option<AnyNumeric>, ErrorReport> {
    let call = Call {
        model: required("model", model)?.trim(),
        service_tier: arguments::name("service_tier", Some(service_tier.unwrap_or(STANDARD)))?,
        tokens: [
            count("input_tokens", input_tokens)?,
            count("max_output_tokens", max_output_tokens)?,
            0,
            0,
            0,
            0,
        ],
        units: &Document::empty_object(),
        at: pgrx::datum::now(),
    };
    Ok(call.cost()?)
}

/// A call to be priced.
pub struct Call<'a> {
    pub model: &'a str,
    pub service_tier: &'a str,
    /// Of input, output, cache_read, cache_write, cache_write_1h and reasoning.
    pub tokens: [i64; 6],
    pub units: &'a Document,
    pub at: TimestampWithTimeZone,
}

impl Call<'_> {
    /// The exact cost in USD; `None` if there was no price, or none for one of the units.
    pub fn cost(&self) -> Result<Option<AnyNumeric>, Error> {
        static UNIT_COSTS: Statement = Statement::new(
            "SELECT jsonb_build_array(p.unit_costs) FROM orchestrator.llm_prices_by_name AS p \
             WHERE p.name = $1 AND $2 >= p.begins AND (p.ends IS NULL OR $2 < p.ends)",
        );
        let price = [self.model.into(), self.at.into()];
        let Some(unit_costs) = UNIT_COSTS.select(&price, statements::one::<Document>)? else {
            return Ok(None);
        };
        let call = Calls {
            n: whole_input(&self.tokens).saturating_add(input_units(self.units)?),
            units: quantities(self.units)?,
            ..Calls::one(self.service_tier, self.tokens)
        };
        let prices = cost::prices(unit_costs.stored())?;
        Ok(prices.first().and_then(|price| price.cost(&call)).map(Cost::usd))
    }
}

/// The price in force for a name: that of the model with exactly this name, else that of the model that the name is an
/// alias of.
///
/// `name`: of a model or an alias; `at`: NULL means now. Returns: the price with its components as `set_price` takes
/// them, and the time in which it is in force; no row if there is none.
/// Errors: 22004, 22023 an infinite time. Since 0.9.0.
#[pg_extern(sql = false, stable, parallel_restricted)]
#[allow(clippy::type_complexity)]
fn model_price(
    name: Option<&str>,
    at: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(price_id, Uuid),
            name!(model, String),
            name!(input_cost_per_million, AnyNumeric),
            name!(output_cost_per_million, AnyNumeric),
            name!(begins, TimestampWithTimeZone),
            name!(ends, Option<TimestampWithTimeZone>),
            name!(components, Document),
        ),
    >,
    ErrorReport,
> {
    static PRICE: Statement = Statement::new(include_str!("in_force.sql"));
    let arguments = [required("name", name)?.into(), moment("at", at)?.into()];
    let price = PRICE.select(&arguments, |rows| {
        rows::first(rows, |row| {
            Ok((
                rows::value(row, 1, "llm_pricing.id")?,
                rows::value(row, 2, "llm_pricing.model")?,
                rows::value(row, 3, "llm_pricing.input_cost_per_million")?,
                rows::value(row, 4, "llm_pricing.output_cost_per_million")?,
                rows::value(row, 5, "llm_pricing.effective_date")?,
                rows::optional(row, 6, "llm_pricing.effective_date")?,
                rows::value(row, 7, "llm_price_components.unit_cost")?,
            ))
        })
    })?;
    Ok(TableIterator::new(price))
}
