//! Prices from LiteLLM's public file, as it is.

use std::collections::{BTreeMap, BTreeSet};

use pgrx::iter::TableIterator;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::litellm::{self, Entry};
use super::set::{self, Begins, NewPrice};
use super::{aliases, components};
use crate::audit::{self, Event};
use crate::server::error::{Error, Kind};
use crate::server::ids::uuidv7;
use crate::server::interrupts;
use crate::server::jsonb::{self, Document};

/// The price file whose form is known, for the column updated_by.
const SOURCE: &str = "import_prices";

/// Model, outcome and reason.
type Line = (String, String, Option<String>);

/// Sets the prices of LiteLLM's price file from a UTC day on. A price that is in force already gets no row. Numbers of the
/// file are rounded to 12 significant digits, because it was computed with floats. Records `prices_imported` with the
/// number of each outcome.
///
/// `document`: the file, an object of models; `effective_date`: the first UTC day, NULL means today.
/// Returns: one row per entry: added, changed, unchanged, alias (the reason is the model), or skipped with the reason. A
/// price that a later one follows already has that as its reason.
/// Errors: 22004, 22023 not an object, or an infinite day or one after the year 294276. Since 0.9.0.
#[pg_extern(sql = false, volatile)]
#[allow(clippy::type_complexity)]
fn import_prices(
    document: Option<Document>,
    effective_date: default!(Option<Date>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (name!(model, String), name!(outcome, String), name!(reason, Option<String>)),
    >,
    ErrorReport,
> {
    let document = jsonb::object("document", document)?;
    Begins::of(effective_date, None)?;
    // An entry with a number that is out of range is skipped, and the others are read.
    let text = document.text();
    let entries: BTreeMap<String, &RawValue> = serde_json::from_str(&text).map_err(|_| {
        Error::new(Kind::InvalidValue, "argument \"document\" cannot be read")
            .hint("Pass LiteLLM's price file as it is.")
    })?;
    set::lock()?;
    let mut lines = Vec::with_capacity(entries.len());
    let mut other_names = Vec::new();
    let mut names = BTreeSet::new();
    for (name, fields) in entries {
        interrupts::allow();
        let name = name.trim().to_owned();
        let entry = match serde_json::from_str(fields.get()) {
            _ if !names.insert(name.clone()) => Entry::Skipped("another entry has the name".into()),
            Ok(Value::Object(fields)) => litellm::entry(&name, &fields),
            Ok(_) => Entry::Skipped("not an object".into()),
            Err(_) => Entry::Skipped("a number is out of range".into()),
        };
        match entry {
            Entry::Price { input_per_million, output_per_million, components } => {
                let price = NewPrice {
                    model: &name,
                    input: set::decimal(&input_per_million)?,
                    output: set::decimal(&output_per_million)?,
                    components: Some(components::of_entry(components)),
                    begins: Begins::of(effective_date, None)?,
                    notes: None,
                    updated_by: Some(SOURCE),
                };
                let (outcome, reason) = set(&price)?;
                lines.push((name.clone(), outcome.to_owned(), reason.map(str::to_owned)));
            }
            // The model may come later in the file.
            Entry::Alias(model) => other_names.push((name, model)),
            Entry::Skipped(reason) => lines.push(skipped(name, reason)),
        }
    }
    for (alias, model) in other_names {
        lines.push(match aliases::add(&alias, model.trim()) {
            Ok(true) => (alias, "alias".to_owned(), Some(model)),
            Ok(false) => (alias, "unchanged".to_owned(), Some(model)),
            Err(error) => skipped(alias, error.message().to_owned()),
        });
    }
    lines.sort();
    record(&lines)?;
    Ok(TableIterator::new(lines))
}

/// The outcome, and a reason why it has no effect yet.
fn set(price: &NewPrice<'_>) -> Result<(&'static str, Option<&'static str>), Error> {
    let found = price.find()?;
    let reason = found.is_followed.then_some("a later price is in force");
    if found.is_same {
        return Ok(("unchanged", reason));
    }
    let outcome = if found.id.is_some() { "changed" } else { "added" };
    price.set(found, true)?;
    Ok((outcome, reason))
}

fn skipped(name: String, reason: String) -> Line {
    (name, "skipped".to_owned(), Some(reason))
}

fn record(lines: &[Line]) -> Result<(), Error> {
    let mut outcomes = Map::new();
    for (_, outcome, _) in lines {
        let number = outcomes.get(outcome).and_then(Value::as_i64).unwrap_or(0);
        outcomes.insert(outcome.clone(), Value::from(number + 1));
    }
    audit::record(Event {
        event_type: "prices_imported",
        role: audit::SYSTEM,
        trace_id: uuidv7(),
        metadata: Document::composed(Value::Object(outcomes)),
    })?;
    Ok(())
}
