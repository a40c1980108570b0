//! The components of a price as arguments: objects, each with the cost of a unit in a tier.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::litellm;
use super::unit_costs::{INPUT, OUTPUT, STANDARD};
use crate::server::arguments::{self, is_blank};
use crate::server::error::{Error, Kind};
use crate::server::jsonb::{self, Document};

const HINT: &str = "Write {\"component\": \"cache_read\", \"per_million\": 0.30}; \"service_tier\" and \"above_input\" may be added, \
    and \"per_unit\" may stand for \"per_million\".";

/// An element of the argument.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
struct Given {
    component: String,
    #[serde(default = "standard")]
    service_tier: String,
    #[serde(default)]
    above_input: i64,
    per_million: Option<Box<RawValue>>,
    per_unit: Option<Box<RawValue>>,
}

fn standard() -> String {
    STANDARD.to_owned()
}

/// Components in the form that `set.rs` writes, with names without spaces around them: objects with component, service_tier, above_input, per_million and
/// per_unit, the last two as text.
///
/// Errors: 22023 not an array of objects of that form, a blank or overlong name, a negative number, or two costs of one
/// component.
pub fn given(argument: Document) -> Result<Document, Error> {
    let text = jsonb::array("components", Some(argument))?.text();
    let given: Vec<Given> = serde_json::from_str(&text).map_err(|error| {
        // The place of the error would be one in the text of the server.
        let problem = error.to_string();
        let problem = problem.split(" at line ").next().unwrap_or_default().to_owned();
        invalid(format!("argument \"components\" has another form: {problem}"))
    })?;
    let mut known = BTreeSet::new();
    let mut components = Vec::with_capacity(given.len());
    for mut component in given {
        for name in [&mut component.component, &mut component.service_tier] {
            *name = name.trim().to_owned();
        }
        components.push(checked(&component)?);
        let key = (component.component, component.service_tier, component.above_input);
        if known.contains(&key) {
            let (component, tier, above) = key;
            return Err(invalid(format!(
                "component \"{component}\" has two costs in tier {tier} above {above}"
            )));
        }
        known.insert(key);
    }
    Ok(Document::composed(Value::Array(components)))
}

/// The same for those of an entry of a price file.
pub fn of_entry(components: Vec<litellm::Component>) -> Document {
    let object = |of: litellm::Component| json!({"component": of.component, "service_tier": of.service_tier, "above_input": of.above_input, "per_unit": of.unit_cost});
    Document::composed(components.into_iter().map(object).collect())
}

fn checked(given: &Given) -> Result<Value, Error> {
    let Given { component, service_tier, above_input, per_million, per_unit } = given;
    for (name, text) in [("component", component), ("service_tier", service_tier)] {
        if is_blank(text) {
            return Err(invalid(format!("a {name} is blank")));
        }
        arguments::name(name, Some(text))?;
    }
    if *above_input < 0 {
        return Err(invalid(format!(
            "above_input {above_input} of component \"{component}\" is negative"
        )));
    }
    if [INPUT, OUTPUT].contains(&component.as_str())
        && service_tier == STANDARD
        && *above_input == 0
    {
        return Err(invalid(format!(
            "component \"{component}\" has its cost in argument \"{component}_cost_per_million\""
        )));
    }
    let cost = match (per_million, per_unit) {
        (Some(cost), None) => ("per_million", decimal(component, cost)?),
        (None, Some(cost)) => ("per_unit", decimal(component, cost)?),
        _ => {
            let message =
                format!("component \"{component}\" needs \"per_million\" or \"per_unit\"");
            return Err(invalid(message));
        }
    };
    let mut object =
        json!({"component": component, "service_tier": service_tier, "above_input": above_input});
    object[cost.0] = Value::String(cost.1);
    Ok(object)
}

/// An exact decimal below 10^12, written as a number or as a text.
fn decimal(component: &str, cost: &RawValue) -> Result<String, Error> {
    const LONGEST: usize = 100;
    const MOST_DIGITS: usize = 12;
    let text = cost.get().trim_matches('"');
    let is_decimal = text.len() <= LONGEST
        && text.split('.').next().is_some_and(|whole| whole.len() <= MOST_DIGITS)
        && text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && text.matches('.').count() <= 1;
    if is_decimal {
        return Ok(text.to_owned());
    }
    let shown = arguments::shortened(text);
    Err(invalid(format!(
        "the cost {shown} of component \"{component}\" is not a decimal of 0 or more and below 10^12"
    )))
}

fn invalid(message: String) -> Error {
    Error::new(Kind::InvalidValue, message).hint(HINT)
}
