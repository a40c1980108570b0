//! Setting a price. A price that has begun is never overwritten: it stays, marked as replaced, and another row takes its
//! place.

use std::ffi::CStr;

use const_format::concatcp;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{AllocatedByRust, AnyNumeric, Uuid};
use serde_json::json;

use super::components;
use super::unit_costs::STANDARD;
use crate::agents::amounts::first_day;
use crate::audit::{self, Event};
use crate::server::error::{Error, Kind, required};
use crate::server::ids::uuidv7;
use crate::server::jsonb::Document;
use crate::server::statements::{self, Statement};
use crate::server::{arguments, backend_state, latest, locks, numbers, rows, snapshot};

/// The row of a price.
type Row = PgHeapTuple<'static, AllocatedByRust>;

/// Sets the price of a model from a UTC day or a moment on, and records `price_set` if it changed. Earlier calls keep
/// their price. A price that begins at the same time and has begun is marked as replaced, and the new row names it; one
/// that has not begun is changed.
///
/// `model`: its name, without spaces around it; `input_cost_per_million`, `output_cost_per_million`: USD per million
/// tokens, not negative, below 100,000,000, exact; `effective_date`: the first UTC day, NULL means today; `notes`,
/// `updated_by`: NULL keeps the current value; `components`: an array of objects with component, service_tier
/// ("standard"), above_input (0), and per_million or per_unit; NULL keeps those of a price that begins at the same time;
/// `effective_at`: the moment at which the price begins, NULL for the beginning of the day. Returns: the row.
/// Errors: 22004, 22023 blank or overlong model, a price outside that range, an infinite time, a moment of another day,
/// or components of another form, 40001 another transaction has set it meanwhile. Since 0.9.0.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::too_many_arguments)]
fn set_price_0_9_0(
    model: Option<&str>,
    input_cost_per_million: Option<AnyNumeric>,
    output_cost_per_million: Option<AnyNumeric>,
    effective_date: default!(Option<Date>, "NULL"),
    notes: default!(Option<&str>, "NULL"),
    updated_by: default!(Option<&str>, "NULL"),
    components: default!(Option<Document>, "NULL"),
    effective_at: default!(Option<TimestampWithTimeZone>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.llm_pricing"), ErrorReport> {
    let price = NewPrice {
        model: arguments::name("model", model.map(str::trim))?,
        input: cost("input_cost_per_million", input_cost_per_million)?,
        output: cost("output_cost_per_million", output_cost_per_million)?,
        components: components.map(components::given).transpose()?,
        begins: Begins::of(effective_date, effective_at)?,
        notes,
        updated_by,
    };
    lock()?;
    let found = price.find()?;
    if price.components.is_none() && !found.begins_then && found.components > 0 {
        backend_state::notice(
            format!("the price of model \"{}\" before this one has components", price.model),
            Some("This one has none, so that cached tokens cost as much as new ones.".to_owned()),
        );
    }
    if found.is_followed {
        backend_state::notice(
            format!("a price of model \"{}\" that begins later is in force", price.model),
            Some(
                "This one holds until that one begins. Pass effective_at to begin it now."
                    .to_owned(),
            ),
        );
    }
    let (_, id) = price.set(found, false)?;
    Ok(row(id)?)
}

/// The form of `set_price` for floats, which are taken as the shortest decimals that read back the same.
///
/// The arguments, the result and the errors are those of the form for numeric; a price has six decimals at most.
/// Since 0.9.0.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::too_many_arguments)]
fn set_price_0_9_0_float(
    model: Option<&str>,
    input_cost_per_million: Option<f64>,
    output_cost_per_million: Option<f64>,
    effective_date: default!(Option<Date>, "NULL"),
    notes: default!(Option<&str>, "NULL"),
    updated_by: default!(Option<&str>, "NULL"),
    components: default!(Option<Document>, "NULL"),
    effective_at: default!(Option<TimestampWithTimeZone>, "NULL"),
) -> Result<pgrx::composite_type!('static, "orchestrator.llm_pricing"), ErrorReport> {
    let input = input_cost_per_million.map(numbers::decimal).transpose()?;
    let output = output_cost_per_million.map(numbers::decimal).transpose()?;
    // More decimals are those of an inexact float, such as 0.1 + 0.2.
    let input = Some(super::price("input_cost_per_million", input)?);
    let output = Some(super::price("output_cost_per_million", output)?);
    set_price_0_9_0(
        model,
        input,
        output,
        effective_date,
        notes,
        updated_by,
        components,
        effective_at,
    )
}

/// The time at which a price begins.
pub struct Begins {
    date: Option<Date>,
    at: Option<TimestampWithTimeZone>,
}

impl Begins {
    /// Errors: 22023 an infinite time, a day after the last point in time, or a moment of another day.
    pub fn of(date: Option<Date>, at: Option<TimestampWithTimeZone>) -> Result<Begins, Error> {
        static IS_OF_DAY: Statement =
            Statement::new("SELECT ($2 AT TIME ZONE 'UTC')::date OPERATOR(pg_catalog.=) $1");
        let refused = |problem: &str| Error::new(Kind::InvalidValue, problem.to_owned());
        let date = first_day("effective_date", date)?;
        if at.is_some_and(|at| at.is_infinity() || at.is_neg_infinity()) {
            return Err(refused("argument \"effective_at\" must be a finite time"));
        }
        if let (Some(day), Some(moment)) = (date, at)
            && IS_OF_DAY.select(&[day.into(), moment.into()], statements::one::<bool>)?
                != Some(true)
        {
            return Err(refused("effective_at is not a moment of the UTC day effective_date")
                .hint("Leave out effective_date: it is the day of effective_at."));
        }
        Ok(Begins { date, at })
    }
}

/// A price to be set.
pub struct NewPrice<'a> {
    pub model: &'a str,
    pub input: AnyNumeric,
    pub output: AnyNumeric,
    /// As `components::given` makes them; `None`: those of a price that begins at the same time.
    pub components: Option<Document>,
    pub begins: Begins,
    pub notes: Option<&'a str>,
    pub updated_by: Option<&'a str>,
}

/// The price in force when a new one begins.
pub struct Found {
    day: Date,
    at: Option<TimestampWithTimeZone>,
    /// `None`: there is none.
    pub id: Option<Uuid>,
    /// Whether it begins at the same time as the new one.
    pub begins_then: bool,
    has_begun: bool,
    /// Whether it has the same costs.
    pub is_same: bool,
    components: i64,
    /// Whether another price that begins later has begun.
    pub is_followed: bool,
}

impl NewPrice<'_> {
    /// Finds it, also if another transaction has committed it after the snapshot of this one.
    pub fn find(&self) -> Result<Found, Error> {
        const FIND: &CStr = latest::statement(concatcp!(include_str!("find.sql"), "\0"));
        let arguments = [
            self.model.into(),
            self.begins.date.into(),
            self.begins.at.into(),
            self.input.clone().into(),
            self.output.clone().into(),
            self.components.clone().into(),
        ];
        let found = snapshot::newest(|| {
            snapshot::first(FIND, &arguments, |row| {
                Ok(Found {
                    day: rows::value(row, 1, "llm_pricing.effective_date")?,
                    at: rows::optional(row, 2, "llm_pricing.effective_at")?,
                    id: rows::optional(row, 3, "llm_pricing.id")?,
                    begins_then: rows::optional(row, 4, "llm_pricing.effective_at")?
                        .unwrap_or(false),
                    has_begun: rows::optional(row, 5, "llm_pricing.effective_at")?.unwrap_or(false),
                    is_same: rows::optional(row, 6, "llm_pricing.id")?.unwrap_or(false),
                    components: rows::value(row, 7, "llm_price_components.price_id")?,
                    is_followed: rows::value(row, 8, "llm_pricing.effective_at")?,
                })
            })
        })?;
        found.ok_or_else(|| self.not_set())
    }

    /// Sets it, after `lock` and `find`. `quietly`: without an event. Returns whether anything changed, and the id.
    pub fn set(&self, found: Found, quietly: bool) -> Result<(bool, Uuid), Error> {
        static NOTE: Statement = Statement::new(
            "UPDATE orchestrator.llm_pricing AS p SET notes = coalesce($2, p.notes), updated_by = coalesce($3, p.updated_by) \
             WHERE p.id = $1 AND (p.notes IS DISTINCT FROM coalesce($2, p.notes) OR p.updated_by IS DISTINCT FROM coalesce($3, p.updated_by))",
        );
        static CHANGE: Statement = Statement::new(
            "UPDATE orchestrator.llm_pricing AS p SET input_cost_per_million = $2, output_cost_per_million = $3, \
                 notes = coalesce($4, p.notes), updated_by = coalesce($5, p.updated_by) WHERE p.id = $1 RETURNING p.id",
        );
        static REPLACE: Statement = Statement::new(
            "UPDATE orchestrator.llm_pricing AS p SET replaced_at = greatest(clock_timestamp(), p.created_at) WHERE p.id = $1 RETURNING p.id",
        );
        static INSERT: Statement = Statement::new(
            // now() is when the transaction began, and others may have set prices since.
            "INSERT INTO orchestrator.llm_pricing AS p (model, input_cost_per_million, output_cost_per_million, effective_date, effective_at, notes, updated_by, replaces, status, created_at) \
             SELECT $1, $2, $3, $4, $5, coalesce($6, o.notes), coalesce($7, o.updated_by), $8, coalesce(o.status, 'active'), coalesce(o.replaced_at, clock_timestamp()) \
             FROM (SELECT) AS n LEFT JOIN orchestrator.llm_pricing AS o ON o.id = $8 RETURNING p.id",
        );
        static FORGET: Statement = Statement::new(
            "DELETE FROM orchestrator.llm_price_components AS c WHERE c.price_id = $1",
        );
        static COMPONENTS: Statement = Statement::new(
            "INSERT INTO orchestrator.llm_price_components (price_id, component, service_tier, above_input, unit_cost) \
             SELECT $1, g.component, g.service_tier, g.above_input, coalesce(g.per_unit, g.per_million * 0.000001) \
             FROM jsonb_to_recordset($2) AS g (component text, service_tier text, above_input bigint, per_unit numeric, per_million numeric)",
        );
        static KEEP: Statement = Statement::new(
            "INSERT INTO orchestrator.llm_price_components (price_id, component, service_tier, above_input, unit_cost) \
             SELECT $1, c.component, c.service_tier, c.above_input, c.unit_cost FROM orchestrator.llm_price_components AS c WHERE c.price_id = $2",
        );
        let same = found.id.filter(|_| found.begins_then);
        if let Some(id) = same.filter(|_| found.is_same) {
            NOTE.update(&[id.into(), self.notes.into(), self.updated_by.into()], |_| Ok(()))?;
            return Ok((false, id));
        }
        let id = match same.filter(|_| !found.has_begun) {
            Some(id) => {
                let values = [
                    id.into(),
                    self.input.clone().into(),
                    self.output.clone().into(),
                    self.notes.into(),
                    self.updated_by.into(),
                ];
                let changed = CHANGE.update(&values, statements::one::<Uuid>)?;
                if self.components.is_some() {
                    FORGET.update(&[id.into()], |_| Ok(()))?;
                }
                changed
            }
            None => {
                if let Some(replaced) = same
                    && REPLACE.update(&[replaced.into()], statements::one::<Uuid>)?.is_none()
                {
                    return Err(self.not_set());
                }
                let values = [
                    self.model.into(),
                    self.input.clone().into(),
                    self.output.clone().into(),
                    found.day.into(),
                    found.at.into(),
                    self.notes.into(),
                    self.updated_by.into(),
                    same.into(),
                ];
                let inserted = INSERT.update(&values, statements::one::<Uuid>)?;
                if let (Some(id), Some(replaced), None) = (inserted, same, &self.components) {
                    KEEP.update(&[id.into(), replaced.into()], |_| Ok(()))?;
                }
                inserted
            }
        };
        let id = id.ok_or_else(|| self.not_set())?;
        if let Some(components) = &self.components {
            COMPONENTS.update(&[id.into(), components.clone().into()], |_| Ok(()))?;
        }
        if !quietly {
            self.record(id)?;
        }
        Ok((true, id))
    }

    fn record(&self, id: Uuid) -> Result<(), Error> {
        static FACTS: Statement = Statement::new(
            "SELECT jsonb_strip_nulls(jsonb_build_object('model', p.model, 'input_cost_per_million', p.input_cost_per_million, \
                 'output_cost_per_million', p.output_cost_per_million, 'effective_date', p.effective_date, 'effective_at', p.effective_at, \
                 'price_id', p.id, 'replaces', p.replaces, \
                 'components', (SELECT nullif(count(*), 0) FROM orchestrator.llm_price_components AS c WHERE c.price_id = p.id))) \
                 || jsonb_build_object('notes', p.notes) \
             FROM orchestrator.llm_pricing AS p WHERE p.id = $1",
        );
        let role =
            self.updated_by.filter(|name| !arguments::is_blank(name)).unwrap_or(audit::SYSTEM);
        let metadata = FACTS.update(&[id.into()], statements::one::<Document>)?;
        audit::record(Event {
            event_type: "price_set",
            role,
            trace_id: uuidv7(),
            metadata: metadata.ok_or_else(|| self.not_set())?,
        })?;
        Ok(())
    }

    fn not_set(&self) -> Error {
        let message = format!("the price of model \"{}\" could not be set", self.model);
        if backend_state::keeps_its_snapshot() {
            return Error::new(Kind::Serialization, message)
                .detail("Another transaction has set it since the snapshot of this one.")
                .hint("Roll back and try again.");
        }
        Error::no_row(message, "llm_pricing")
    }
}

/// Adds list prices from today (UTC) on, with those of cached tokens where the provider has one. Models that have a price of
/// any day are left out.
///
/// Returns: the number of added prices. Since 0.9.0.
#[pg_extern(sql = false, volatile)]
fn load_default_prices_0_9_0() -> Result<i64, ErrorReport> {
    /// Model, USD per million tokens of input, of output, and of input that is read from the cache.
    const PRICES: [(&str, &str, &str, Option<&str>); 11] = [
        ("gpt-4.1", "2.00", "8.00", Some("0.50")),
        ("gpt-4.1-mini", "0.40", "1.60", Some("0.10")),
        ("gpt-4o", "2.50", "10.00", Some("1.25")),
        ("gpt-4o-mini", "0.15", "0.60", Some("0.075")),
        ("gpt-5", "1.25", "10.00", Some("0.125")),
        ("gpt-5-mini", "0.25", "2.00", Some("0.025")),
        ("gpt-5-nano", "0.05", "0.40", Some("0.005")),
        ("text-embedding-3-large", "0.13", "0", None),
        ("text-embedding-3-small", "0.02", "0", None),
        ("gpt-4-turbo", "10.00", "30.00", None),
        ("gpt-3.5-turbo", "0.50", "1.50", None),
    ];
    const IS_PRICED: &CStr =
        c"SELECT EXISTS (SELECT FROM orchestrator.llm_pricing AS p WHERE p.model = $1)";
    lock()?;
    let mut added = 0;
    for (model, input, output, cache_read) in PRICES {
        if latest::value::<bool>(IS_PRICED, &[model.into()])? == Some(true) {
            continue;
        }
        let cached = cache_read.map(|cost| {
            json!({"component": "cache_read", "service_tier": STANDARD, "above_input": 0, "per_million": cost})
        });
        let price = NewPrice {
            model,
            input: decimal(input)?,
            output: decimal(output)?,
            components: Some(Document::composed(cached.into_iter().collect())),
            begins: Begins::of(None, None)?,
            notes: Some("list price"),
            updated_by: None,
        };
        price.set(price.find()?, false)?;
        added += 1;
    }
    Ok(added)
}

/// A number that this library wrote as text.
pub fn decimal(text: &str) -> Result<AnyNumeric, Error> {
    AnyNumeric::try_from(text).map_err(|error| {
        let shown = arguments::shortened(text);
        Error::new(Kind::Internal, format!("no number {shown}: {error}"))
    })
}

/// Makes other transactions wait that set prices.
pub fn lock() -> Result<(), Error> {
    static LOCK: Statement =
        Statement::new("LOCK TABLE orchestrator.llm_pricing IN SHARE ROW EXCLUSIVE MODE");
    locks::in_order(&[c"llm_model_aliases", c"llm_price_components"]);
    LOCK.update(&[], |_| Ok(()))
}

fn row(id: Uuid) -> Result<Row, Error> {
    static ROW: Statement =
        Statement::new("SELECT p FROM orchestrator.llm_pricing AS p WHERE p.id = $1");
    let row = ROW.update(&[id.into()], statements::one::<Row>)?;
    row.ok_or_else(|| Error::no_row("the price could not be set", "llm_pricing"))
}

/// A price per million tokens.
///
/// Errors: 22004, 22023 negative, not below 100,000,000, or not a number.
fn cost(argument: &str, value: Option<AnyNumeric>) -> Result<AnyNumeric, Error> {
    let value = required(argument, value)?;
    // NaN is greater than every number.
    if (AnyNumeric::from(0)..AnyNumeric::from(100_000_000)).contains(&value) {
        return Ok(value);
    }
    let message = format!("{argument} {} is no price", arguments::shortened(value.normalize()));
    Err(Error::new(Kind::InvalidValue, message)
        .hint("A price is in USD per million tokens: 0 or more, and below 100000000."))
}
