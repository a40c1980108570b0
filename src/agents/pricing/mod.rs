//! Prices of language models with their history, and the cost of a call by the price in force on
//! its UTC day. All amounts are numeric; nothing is rounded. The functions of this file are those of the versions before
//! 0.9.0; those since then are in its modules.

mod aliases;
mod as_of;
mod components;
mod cost;
mod import;
mod in_force;
mod litellm;
mod price;
mod set;
mod sums;
mod unit_costs;
mod units;

use std::ffi::CStr;

use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByRust, AnyNumeric};

pub use self::in_force::Call;
pub use self::unit_costs::STANDARD;
pub use self::units::are_units;
use crate::agents::amounts::{count, first_day, moment};
use crate::audit::{self, Event};
use crate::server::error::{Error, Kind, required};
use crate::server::ids::uuidv7;
use crate::server::jsonb::Document;
use crate::server::statements::Statement;
use crate::server::{arguments, latest, numbers, rows, statements};

/// The row of a price.
type Row = PgHeapTuple<'static, AllocatedByRust>;

/// The greatest number of digits of a price before and after the decimal point.
const WHOLE_DIGITS: usize = 8;
const DECIMALS: usize = 6;

/// Sets the price of a model from a day on. Earlier days keep their price; a price that begins on
/// the same day is replaced.
///
/// `input_cost_per_million`, `output_cost_per_million`: USD per million tokens, not negative, below
/// 100,000,000, six decimals at most; `effective_date`: the first UTC day, NULL means today;
/// `notes`,
/// `updated_by`: NULL keeps the current value. Returns: the row.
/// Errors: 22004, 22023 blank or overlong model, a price outside that range, or an infinite day or one after the year 294276.
/// Since 0.2.5; replaced in 0.8.1.
#[pg_extern(sql = false, volatile)]
fn set_price(
    model: Option<&str>,
    input_cost_per_million: Option<AnyNumeric>,
    output_cost_per_million: Option<AnyNumeric>,
    effective_date: default!(Option<Date>, "NULL"),
    notes: default!(Option<&str>, "NULL"),
    updated_by: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.llm_pricing"), ErrorReport> {
    Ok(set(
        model,
        input_cost_per_million,
        output_cost_per_million,
        effective_date,
        notes,
        updated_by,
    )?
    .row)
}

/// Sets the price of a model from a day on, and records `price_set` at each call. Earlier days keep their price; a price
/// that begins on the same day is replaced.
///
/// `input_cost_per_million`, `output_cost_per_million`: USD per million tokens, not negative, below
/// 100,000,000, six decimals at most; `effective_date`: the first UTC day, NULL means today; `notes`,
/// `updated_by`: NULL keeps the current value. Returns: the row.
/// Errors: 22004, 22023 blank or overlong model, a price outside that range, or an infinite day or one after the year 294276.
/// Since 0.8.1; replaced in 0.9.0.
#[pg_extern(sql = false, volatile)]
fn set_price_0_8_1(
    model: Option<&str>,
    input_cost_per_million: Option<AnyNumeric>,
    output_cost_per_million: Option<AnyNumeric>,
    effective_date: default!(Option<Date>, "NULL"),
    notes: default!(Option<&str>, "NULL"),
    updated_by: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.llm_pricing"), ErrorReport> {
    let price = set(
        model,
        input_cost_per_million,
        output_cost_per_million,
        effective_date,
        notes,
        updated_by,
    )?;
    Ok(price.record(updated_by)?)
}

/// The form of `set_price` for floats, which are taken as the shortest decimals that read back the
/// same.
///
/// `input_cost_per_million`, `output_cost_per_million`: USD per million tokens, not negative, below
/// 100,000,000, six decimals at most; `effective_date`: the first UTC day, NULL means today; `notes`,
/// `updated_by`: NULL keeps the current value. Returns: the row.
/// Errors: 22004, 22023 blank or overlong model, a price outside that range, or an infinite day or one after the year 294276.
/// Since 0.7.3; replaced in 0.8.1.
#[pg_extern(sql = false, volatile)]
fn set_price_0_7_3_float(
    model: Option<&str>,
    input_cost_per_million: Option<f64>,
    output_cost_per_million: Option<f64>,
    effective_date: default!(Option<Date>, "NULL"),
    notes: default!(Option<&str>, "NULL"),
    updated_by: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.llm_pricing"), ErrorReport> {
    let input = input_cost_per_million.map(numbers::decimal).transpose()?;
    let output = output_cost_per_million.map(numbers::decimal).transpose()?;
    Ok(set(model, input, output, effective_date, notes, updated_by)?.row)
}

/// The form of `set_price` for floats, which are taken as the shortest decimals that read back the
/// same.
///
/// `input_cost_per_million`, `output_cost_per_million`: USD per million tokens, not negative, below
/// 100,000,000, six decimals at most; `effective_date`: the first UTC day, NULL means today; `notes`,
/// `updated_by`: NULL keeps the current value. Returns: the row.
/// Errors: 22004, 22023 blank or overlong model, a price outside that range, or an infinite day or one after the year 294276.
/// Since 0.8.1; replaced in 0.9.0.
#[pg_extern(sql = false, volatile)]
fn set_price_0_8_1_float(
    model: Option<&str>,
    input_cost_per_million: Option<f64>,
    output_cost_per_million: Option<f64>,
    effective_date: default!(Option<Date>, "NULL"),
    notes: default!(Option<&str>, "NULL"),
    updated_by: default!(Option<&str>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.llm_pricing"), ErrorReport> {
    let input = input_cost_per_million.map(numbers::decimal).transpose()?;
    let output = output_cost_per_million.map(numbers::decimal).transpose()?;
    Ok(set(model, input, output, effective_date, notes, updated_by)?.record(updated_by)?)
}

/// A price that was set.
struct Price {
    row: Row,
    facts: Document,
}

impl Price {
    /// Records that it was set. Returns the row.
    fn record(self, updated_by: Option<&str>) -> Result<Row, Error> {
        let role = updated_by.filter(|name| !arguments::is_blank(name)).unwrap_or(audit::SYSTEM);
        audit::record(Event {
            event_type: "price_set",
            role,
            trace_id: uuidv7(),
            metadata: self.facts,
        })?;
        Ok(self.row)
    }
}

fn set(
    model: Option<&str>,
    input_cost_per_million: Option<AnyNumeric>,
    output_cost_per_million: Option<AnyNumeric>,
    effective_date: Option<Date>,
    notes: Option<&str>,
    updated_by: Option<&str>,
) -> Result<Price, Error> {
    static SET: Statement = Statement::new(
        "INSERT INTO orchestrator.llm_pricing AS p (model, input_cost_per_million, output_cost_per_million, effective_date, notes, updated_by) \
         VALUES ($1, $2::numeric(14, 6), $3::numeric(14, 6), coalesce($4, (pg_catalog.now() AT TIME ZONE 'UTC')::date), $5, $6) \
         ON CONFLICT ON CONSTRAINT llm_pricing_model_effective_date_key DO UPDATE \
         SET input_cost_per_million = excluded.input_cost_per_million, \
             output_cost_per_million = excluded.output_cost_per_million, \
             notes = coalesce(excluded.notes, p.notes), \
             updated_by = coalesce(excluded.updated_by, p.updated_by) \
         RETURNING p, jsonb_build_object('model', p.model, 'input_cost_per_million', p.input_cost_per_million, \
             'output_cost_per_million', p.output_cost_per_million, 'effective_date', p.effective_date, 'notes', p.notes)",
    );
    let model = arguments::name("model", model)?;
    let input = price("input_cost_per_million", input_cost_per_million)?;
    let output = price("output_cost_per_million", output_cost_per_million)?;
    let effective_date = first_day("effective_date", effective_date)?;
    let arguments = [
        model.into(),
        input.into(),
        output.into(),
        effective_date.into(),
        notes.into(),
        updated_by.into(),
    ];
    let price = SET.update(&arguments, |rows| {
        rows::first(rows, |row| {
            let price = rows::value::<Row>(row, 1, "llm_pricing.model")?;
            Ok(Price { row: price, facts: rows::value(row, 2, "llm_pricing.notes")? })
        })
    })?;
    price.ok_or_else(|| {
        Error::no_row(format!("the price of model \"{model}\" could not be set"), "llm_pricing")
    })
}

/// The cost of a call in USD by the price in force on its UTC day.
///
/// `input_tokens`, `output_tokens`: not negative; `at`: the time of the call.
/// Returns: the exact cost; NULL if the model has no price on that day.
/// Errors: 22004, 22023 negative count, or an infinite time. Since 0.2.5; replaced in 0.9.0.
#[pg_extern(sql = false, stable)]
fn llm_cost(
    model: Option<&str>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    at: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<Option<AnyNumeric>, ErrorReport> {
    let model = required("model", model)?;
    let input_tokens = count("input_tokens", input_tokens)?;
    let output_tokens = count("output_tokens", output_tokens)?;
    Ok(cost(model, input_tokens, output_tokens, moment("at", at)?)?)
}

/// The exact cost of a call in USD; `None` if the model has no price on its UTC day.
pub fn cost(
    model: &str,
    input_tokens: i64,
    output_tokens: i64,
    at: TimestampWithTimeZone,
) -> Result<Option<AnyNumeric>, Error> {
    // Multiplied by a millionth: a product of numeric is exact, a quotient is rounded.
    static COST: Statement = Statement::new(
        "SELECT ($2 * p.input_cost_per_million + $3 * p.output_cost_per_million) * 0.000001 \
         FROM orchestrator.llm_pricing AS p \
         WHERE p.model = $1 AND p.effective_date <= ($4 AT TIME ZONE 'UTC')::date \
         ORDER BY p.effective_date DESC LIMIT 1",
    );
    let arguments = [model.into(), input_tokens.into(), output_tokens.into(), at.into()];
    COST.select(&arguments, statements::one::<AnyNumeric>)
}

/// Adds the list prices of TheAppApp's migration 016 from today (UTC) on. Models that have a price
/// of any day are left out.
///
/// Returns: the number of added prices. Since 0.2.5; replaced in 0.9.0.
#[pg_extern(sql = false, volatile)]
fn load_default_prices() -> Result<i64, ErrorReport> {
    // No constraint would notice a price of another day that is set at the same time.
    static LOCK: Statement =
        Statement::new("LOCK TABLE orchestrator.llm_pricing IN SHARE ROW EXCLUSIVE MODE");
    static LOAD: Statement = Statement::new(
        "INSERT INTO orchestrator.llm_pricing (model, input_cost_per_million, output_cost_per_million, effective_date, notes) \
         SELECT l.model, l.input, l.output, (pg_catalog.now() AT TIME ZONE 'UTC')::date, 'list price' \
         FROM (VALUES ('gpt-4.1', 2.00, 8.00), ('gpt-4.1-mini', 0.40, 1.60), ('gpt-4o', 2.50, 10.00), \
                      ('gpt-4o-mini', 0.15, 0.60), ('gpt-5', 1.25, 10.00), ('gpt-5-mini', 0.25, 2.00), \
                      ('gpt-5-nano', 0.05, 0.40), ('text-embedding-3-large', 0.13, 0), \
                      ('text-embedding-3-small', 0.02, 0), ('gpt-4-turbo', 10.00, 30.00), \
                      ('gpt-3.5-turbo', 0.50, 1.50)) AS l (model, input, output) \
         WHERE l.model <> ALL ($1) \
         ON CONFLICT ON CONSTRAINT llm_pricing_model_effective_date_key DO NOTHING",
    );
    const PRICED: &CStr = c"SELECT array_agg(p.model::text) FILTER (WHERE p.model IS NOT NULL) FROM orchestrator.llm_pricing AS p";
    LOCK.update(&[], |_| Ok(()))?;
    let priced = latest::value::<Vec<String>>(PRICED, &[])?.unwrap_or_default();
    Ok(LOAD.update(&[priced.into()], |rows| Ok(rows.len() as i64))?)
}

/// A price that the table stores without rounding.
///
/// Errors: 22004, 22023 any other number.
fn price(argument: &str, value: Option<AnyNumeric>) -> Result<AnyNumeric, Error> {
    let value = required(argument, value)?;
    match unfit(value.normalize()) {
        None => Ok(value),
        Some(problem) => Err(Error::new(
            Kind::InvalidValue,
            format!("{argument} {} {problem}", arguments::shortened(value.normalize())),
        )
        .hint("A price is in USD per million tokens: 0 or more, below 100000000, with six decimals at most.")),
    }
}

/// The fault of a price that is given in its shortest decimal form.
fn unfit(decimal: &str) -> Option<&'static str> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    if decimal.starts_with('-') {
        Some("is negative")
    } else if !digits(whole) || !digits(fraction) {
        Some("is not a finite number")
    } else if whole.len() > WHOLE_DIGITS {
        Some("is too high")
    } else if fraction.len() > DECIMALS {
        Some("has more than six decimals")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prices_that_would_be_rounded_or_make_no_sense_are_refused() {
        for decimal in ["0", "1.4", "0.000001", "99999999.999999"] {
            assert_eq!(unfit(decimal), None, "{decimal}");
        }
        for decimal in ["-0.01", "-Infinity", "Infinity", "NaN", "100000000", "0.0000001"] {
            assert!(unfit(decimal).is_some(), "{decimal}");
        }
    }

    proptest! {
        #[test]
        fn every_price_in_range_fits(whole in 0u64..100_000_000, fraction in 0u32..1_000_000) {
            let decimal = format!("{whole}.{fraction:06}");
            prop_assert_eq!(unfit(&decimal), None);
            let (negative, longer) = (format!("-{decimal}"), format!("{decimal}1"));
            prop_assert!(unfit(&negative).is_some() && unfit(&longer).is_some());
        }
    }
}
