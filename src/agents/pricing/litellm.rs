//! Entries of LiteLLM's public file of prices, `model_prices_and_context_window_backup.json`.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::unit_costs::STANDARD;

/// The length that tells a price from the noise of floating-point arithmetic, which wrote the file.
const SIGNIFICANT_DIGITS: usize = 12;

/// The longest name of a model, in characters.
const LONGEST_NAME: usize = 500;

/// The suffixes of fields, with the tiers that they stand for.
const TIERS: [(&str, &str); 6] = [
    ("_batches", "batch"),
    ("_flex", "flex"),
    ("_priority", "priority"),
    ("_ultrafast", "ultrafast"),
    ("_balanced", "balanced"),
    ("_decisions", "decisions"),
];

/// Fields that repeat another one. They count only where that one is absent.
const SECOND_NAMES: [&str; 2] = ["input_cost_per_token_cache_hit", "cost_per_second"];

/// The end of a field whose price is for 1,000 calls.
const PER_1K_CALLS: &str = "_cost_per_1k_calls";

/// The start of the keys of `search_context_cost_per_query`.
const SIZE: &str = "search_context_size_";

/// The key whose cost holds for a search that names no size.
const MEDIUM: &str = "search_context_size_medium";

/// The unit costs of an entry, by component, tier and step.
type Prices = BTreeMap<(String, &'static str, i64), String>;

/// The price of a component.
#[derive(Debug, PartialEq, Eq)]
pub struct Component {
    pub component: String,
    pub service_tier: String,
    /// It holds for a call with more tokens of input; 0 for every call.
    pub above_input: i64,
    /// USD per unit, as a plain decimal.
    pub unit_cost: String,
}

/// An entry of the file, as the tables hold it.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// A model with its prices. The components are in order, each of them once.
    Price { input_per_million: String, output_per_million: String, components: Vec<Component> },
    /// Another name of the model that is named here.
    Alias(String),
    /// An entry without a price that can be held, and the reason.
    Skipped(String),
}

/// Reads the entry `name` of the file.
pub fn entry(name: &str, fields: &Map<String, Value>) -> Entry {
    if name.trim().is_empty() {
        return Entry::Skipped("the name is blank".to_owned());
    }
    if name.chars().count() > LONGEST_NAME {
        return Entry::Skipped("the name is too long".to_owned());
    }
    if name == "sample_spec" {
        return Entry::Skipped("not a model".to_owned());
    }
    if let Some(Value::String(model)) = fields.get("alias_of") {
        return Entry::Alias(model.clone());
    }
    price(fields).unwrap_or_else(Entry::Skipped)
}

/// The price that the fields hold, or the reason why they hold none.
fn price(fields: &Map<String, Value>) -> Result<Entry, String> {
    // A flat price beside them holds for some calls only.
    if fields.get("tiered_pricing").is_some_and(|ranges| !ranges.is_null()) {
        return Err("prices by range".to_owned());
    }
    let mut prices = prices(fields)?;
    let mut base = |component: &str| prices.remove(&(component.to_owned(), STANDARD, 0));
    let (input, output) = (base("input"), base("output"));
    if input.is_none() && output.is_none() {
        if prices.is_empty() {
            return Err("no price".to_owned());
        }
        // With a base price of 0, tokens of the standard tier would be free.
        if prices.keys().any(|(component, _, _)| matches!(component.as_str(), "input" | "output")) {
            return Err("no price in the standard tier".to_owned());
        }
    }
    // The tables hold less than 100 USD per token, and less than 10^12 USD per other unit.
    let bases = input.iter().chain(&output).map(|cost| (cost, 8));
    let others = prices.values().map(|cost| (cost, 12));
    if bases.chain(others).any(|(cost, digits)| cost.find('.').unwrap_or(cost.len()) > digits) {
        return Err("a price is too high".to_owned());
    }
    let component = |((component, service_tier, above_input), unit_cost)| Component {
        component,
        service_tier: str::to_owned(service_tier),
        above_input,
        unit_cost,
    };
    Ok(Entry::Price {
        input_per_million: input.unwrap_or_else(|| "0".to_owned()),
        output_per_million: output.unwrap_or_else(|| "0".to_owned()),
        components: prices.into_iter().map(component).collect(),
    })
}

/// All prices of an entry. Those of input and output in the standard tier are per million tokens.
fn prices(fields: &Map<String, Value>) -> Result<Prices, String> {
    let mut prices = Prices::new();
    for (field, value) in fields {
        let (base, service_tier, above_input) = parts(field);
        // A step of xAI begins at its length.
        let is_xai = fields.get("litellm_provider").is_some_and(|provider| provider == "xai");
        let above_input = if is_xai && above_input > 0 { above_input - 1 } else { above_input };
        let Some(component) = component(base).filter(|name| !name.is_empty()) else { continue };
        let mut add = |component: String, value: &Value| {
            let number = match value {
                Value::Null => return Ok(()),
                Value::Number(number) => number,
                _ => return Err(format!("not a number: {field}")),
            };
            let is_base = matches!(component.as_str(), "input" | "output")
                && (service_tier, above_input) == (STANDARD, 0);
            let shift = if base.ends_with(PER_1K_CALLS) {
                -3
            } else if is_base {
                6
            } else {
                0
            };
            let cost = decimal(number, shift).ok_or_else(|| "negative price".to_owned())?;
            let price = prices.entry((component, service_tier, above_input));
            if SECOND_NAMES.contains(&base) {
                price.or_insert(cost);
            } else {
                price.insert_entry(cost);
            }
            Ok(())
        };
        let Value::Object(costs) = value else {
            add(component, value)?;
            continue;
        };
        for (key, cost) in costs {
            add(format!("{component}_{}", key.strip_prefix(SIZE).unwrap_or(key)), cost)?;
            if key == MEDIUM {
                add(component.clone(), cost)?;
            }
        }
    }
    Ok(prices)
}

/// Splits the name of a field into its base, its tier and the length of input above which it holds.
fn parts(field: &str) -> (&str, &'static str, i64) {
    let (rest, service_tier) = TIERS
        .iter()
        .find_map(|(suffix, tier)| Some((field.strip_suffix(suffix)?, *tier)))
        .unwrap_or((field, STANDARD));
    // "_above_1hr" is no step: it belongs to the base.
    let step = rest.rsplit_once("_above_").and_then(|(base, step)| {
        let thousands: u32 = step.strip_suffix("k_tokens")?.parse().ok()?;
        Some((base, i64::from(thousands) * 1_000))
    });
    let (base, above_input) = step.unwrap_or((rest, 0));
    (base, service_tier, above_input)
}

/// The component that a field without tier and step prices; `None` if it is no price in USD.
fn component(base: &str) -> Option<String> {
    // A DBU is the unit of Databricks. The price in USD stands next to it.
    if base.contains("dbu_cost") {
        return None;
    }
    let known = match base {
        "input_cost_per_token" => "input",
        "output_cost_per_token" => "output",
        "cache_read_input_token_cost" | "input_cost_per_token_cache_hit" => "cache_read",
        "cache_creation_input_token_cost" => "cache_write",
        "cache_creation_input_token_cost_above_1hr" => "cache_write_1h",
        "cache_creation_input_token_cost_above_12hr" => "cache_write_12h",
        "output_cost_per_reasoning_token" => "reasoning",
        "input_cost_per_audio_token" => "audio_input",
        "input_cost_per_image_token" => "image_input",
        "input_cost_per_video_token" => "video_input",
        "output_cost_per_audio_token" => "audio_output",
        "output_cost_per_image_token" => "image_output",
        "output_cost_per_video_token" => "video_output",
        "cache_read_input_audio_token_cost" => "audio_cache_read",
        "cache_read_input_image_token_cost" => "image_cache_read",
        "cache_creation_input_audio_token_cost" => "audio_cache_write",
        "output_cost_per_image" => "image",
        "output_cost_per_second" => "second",
        "input_cost_per_query" => "query",
        "search_context_cost_per_query" => "web_search",
        _ => {
            if let Some(unit) = base.strip_prefix("cost_per_") {
                return Some(unit.to_owned());
            }
            if let Some(call) = base.strip_suffix(PER_1K_CALLS) {
                return Some(call.to_owned());
            }
            return base.contains("_cost_per_").then(|| base.replace("_cost_per_", "_"));
        }
    };
    Some(known.to_owned())
}

/// The number times ten to the power of `shift`, rounded half up to 12 significant digits; `None`
/// if it is negative.
///
/// Returns: a plain decimal without an exponent, and without zeros at the end of its fraction.
pub fn decimal(number: &Number, shift: isize) -> Option<String> {
    let text = number.to_string();
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let signed = format!("{whole}{fraction}");
    let digits = signed.trim_start_matches(['-', '0']);
    if digits.is_empty() {
        return Some("0".to_owned());
    }
    if signed.starts_with('-') {
        return None;
    }
    let (kept, dropped) = digits.split_at(digits.len().min(SIGNIFICANT_DIGITS));
    let rounded = kept.parse::<u64>().ok()? + u64::from(dropped >= "5");
    let power = exponent.parse::<isize>().ok()? + shift + dropped.len().cast_signed()
        - fraction.len().cast_signed();
    if let Ok(zeros) = usize::try_from(power) {
        return Some(format!("{rounded}{}", "0".repeat(zeros)));
    }
    let decimals = power.unsigned_abs();
    let padded = format!("{rounded:0>width$}", width = decimals + 1);
    let (whole, fraction) = padded.split_at(padded.len() - decimals);
    let plain = format!("{whole}.{fraction}");
    Some(plain.trim_end_matches('0').trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, fields: &str) -> Entry {
        entry(name, &serde_json::from_str(fields).expect("an object"))
    }

    /// The base prices, and the components as (component, tier, step, cost).
    fn priced(fields: &str) -> (String, String, Vec<(String, String, i64, String)>) {
        let entry = read("model", fields);
        let Entry::Price { input_per_million, output_per_million, components } = entry else {
            panic!("{fields}: {entry:?}");
        };
        let row =
            |row: Component| (row.component, row.service_tier, row.above_input, row.unit_cost);
        (input_per_million, output_per_million, components.into_iter().map(row).collect())
    }

    fn assert_components(fields: &str, expected: &[(&str, &str, i64, &str)]) {
        let (_, _, components) = priced(fields);
        let components: Vec<_> = components
            .iter()
            .map(|(component, tier, step, cost)| {
                (component.as_str(), tier.as_str(), *step, cost.as_str())
            })
            .collect();
        assert_eq!(components, expected, "{fields}");
    }

    fn assert_skipped(name: &str, fields: &str, reason: &str) {
        assert_eq!(read(name, fields), Entry::Skipped(reason.to_owned()), "{name}: {fields}");
    }

    #[test]
    fn numbers_are_plain_decimals_of_twelve_digits() {
        for (number, shift, expected) in [
            ("2.4999999999999998e-06", 6, "2.5"),
            ("1.0000000000000001e-07", 6, "0.1"),
            ("1.5e-07", 0, "0.00000015"),
            ("1e-10", 0, "0.0000000001"),
            ("1e-10", 6, "0.0001"),
            ("7.167e-05", 0, "0.00007167"),
            ("0", 6, "0"),
            ("0.0", -3, "0"),
            ("-0.0", 0, "0"),
            ("3", 0, "3"),
            ("3", 6, "3000000"),
            ("3.0", 0, "3"),
            ("100", -3, "0.1"),
            ("2.5", -3, "0.0025"),
            ("10.5", 0, "10.5"),
            ("120", 0, "120"),
            ("1e16", 0, "10000000000000000"),
            ("1.23456789012345", 0, "1.23456789012"),
            ("1.234567890125", 0, "1.23456789013"),
            ("0.9999999999999", 0, "1"),
            ("1234567890125", 0, "1234567890130"),
        ] {
            let number = serde_json::from_str(number).expect("a number");
            assert_eq!(decimal(&number, shift).as_deref(), Some(expected), "{number} {shift}");
        }
    }

    #[test]
    fn prices_that_no_column_holds_are_skipped() {
        for fields in [
            r#"{"input_cost_per_token": 100}"#,
            r#"{"output_cost_per_token": 1e300}"#,
            r#"{"input_cost_per_token": 1, "output_cost_per_image": 1e12}"#,
        ] {
            assert_skipped("model", fields, "a price is too high");
        }
        assert_eq!(priced(r#"{"input_cost_per_token": 99.9999}"#).0, "99999900");
        assert_components(
            r#"{"input_cost_per_token": 1, "cost_per_": 1, "_cost_per_1k_calls": 1}"#,
            &[],
        );
    }

    #[test]
    fn negative_numbers_are_none() {
        for number in ["-1", "-1e-10", "-0.5"] {
            let number = serde_json::from_str(number).expect("a number");
            assert_eq!(decimal(&number, 0), None, "{number}");
        }
    }

    #[test]
    fn the_base_price_is_per_million_tokens_and_no_component() {
        let price = priced(r#"{"input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05}"#);
        assert_eq!(price, ("3".to_owned(), "15".to_owned(), Vec::new()));
        let embedding = priced(r#"{"input_cost_per_token": 2e-08, "max_tokens": 8192}"#);
        assert_eq!(embedding, ("0.02".to_owned(), "0".to_owned(), Vec::new()));
        let free = priced(r#"{"input_cost_per_token": 0, "output_cost_per_token": null}"#);
        assert_eq!(free, ("0".to_owned(), "0".to_owned(), Vec::new()));
        let (input, output, components) = priced(r#"{"output_cost_per_image": 0.04}"#);
        assert_eq!((input.as_str(), output.as_str(), components.len()), ("0", "0", 1));
    }

    #[test]
    fn steps_and_tiers_of_fields_are_told_from_their_bases() {
        assert_components(
            r#"{
                "input_cost_per_token": 1e-06,
                "output_cost_per_token_above_272k_tokens_priority": 9e-05,
                "input_cost_per_token_above_272k_tokens": 1e-05,
                "input_cost_per_token_batches": 2.5e-06,
                "input_cost_per_token_flex": 2.4e-06,
                "input_cost_per_token_ultrafast": 2.3e-06,
                "input_cost_per_token_balanced": 2.2e-06,
                "input_cost_per_token_decisions": 2.1e-06
            }"#,
            &[
                ("input", "balanced", 0, "0.0000022"),
                ("input", "batch", 0, "0.0000025"),
                ("input", "decisions", 0, "0.0000021"),
                ("input", "flex", 0, "0.0000024"),
                ("input", "standard", 272_000, "0.00001"),
                ("input", "ultrafast", 0, "0.0000023"),
                ("output", "priority", 272_000, "0.00009"),
            ],
        );
    }

    #[test]
    fn the_time_of_a_write_is_no_step() {
        assert_components(
            r#"{
                "cache_creation_input_token_cost": 1e-06,
                "cache_creation_input_token_cost_above_200k_tokens": 2e-06,
                "cache_creation_input_token_cost_above_1hr": 3e-06,
                "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 4e-06,
                "cache_creation_input_token_cost_above_12hr_flex": 5e-06,
                "cache_creation_input_token_cost_above_12hr_above_272k_tokens_batches": 6e-06
            }"#,
            &[
                ("cache_write", "standard", 0, "0.000001"),
                ("cache_write", "standard", 200_000, "0.000002"),
                ("cache_write_12h", "batch", 272_000, "0.000006"),
                ("cache_write_12h", "flex", 0, "0.000005"),
                ("cache_write_1h", "standard", 0, "0.000003"),
                ("cache_write_1h", "standard", 200_000, "0.000004"),
            ],
        );
    }

    #[test]
    fn a_second_name_counts_where_the_first_is_absent() {
        for (fields, component, cost) in [
            (r#"{"input_cost_per_token_cache_hit": 1e-06}"#, "cache_read", "0.000001"),
            (
                r#"{"cache_read_input_token_cost": 2e-06, "input_cost_per_token_cache_hit": 1}"#,
                "cache_read",
                "0.000002",
            ),
            (
                r#"{"cache_read_input_token_cost": null, "input_cost_per_token_cache_hit": 1}"#,
                "cache_read",
                "1",
            ),
            (r#"{"cost_per_second": 0.1}"#, "second", "0.1"),
            (r#"{"cost_per_second": 0.1, "output_cost_per_second": 0.2}"#, "second", "0.2"),
        ] {
            assert_components(fields, &[(component, "standard", 0, cost)]);
        }
    }

    #[test]
    fn fields_name_their_components() {
        for (field, component) in [
            ("output_cost_per_reasoning_token", "reasoning"),
            ("input_cost_per_audio_token", "audio_input"),
            ("output_cost_per_image_token", "image_output"),
            ("input_cost_per_video_token", "video_input"),
            ("cache_read_input_audio_token_cost", "audio_cache_read"),
            ("cache_read_input_image_token_cost", "image_cache_read"),
            ("cache_creation_input_audio_token_cost", "audio_cache_write"),
            ("output_cost_per_image", "image"),
            ("output_cost_per_second", "second"),
            ("input_cost_per_query", "query"),
            ("ocr_cost_per_page", "ocr_page"),
            ("input_cost_per_character", "input_character"),
            ("input_cost_per_second", "input_second"),
        ] {
            let fields = format!(r#"{{"{field}": 0.5}}"#);
            assert_components(&fields, &[(component, "standard", 0, "0.5")]);
        }
    }

    #[test]
    fn a_search_has_a_price_of_each_size_and_the_medium_one_without_a_size() {
        assert_components(
            r#"{"search_context_cost_per_query": {
                "search_context_size_low": 0.03,
                "search_context_size_medium": 0.035,
                "search_context_size_high": 0.05
            }}"#,
            &[
                ("web_search", "standard", 0, "0.035"),
                ("web_search_high", "standard", 0, "0.05"),
                ("web_search_low", "standard", 0, "0.03"),
                ("web_search_medium", "standard", 0, "0.035"),
            ],
        );
    }

    #[test]
    fn an_object_has_a_component_for_each_of_its_costs() {
        assert_components(
            r#"{"guardrail_cost_per_unit": {"topic": 0.00015, "word": 0.0, "other": null}}"#,
            &[
                ("guardrail_unit_topic", "standard", 0, "0.00015"),
                ("guardrail_unit_word", "standard", 0, "0"),
            ],
        );
    }

    #[test]
    fn a_price_per_1k_calls_is_for_one_call() {
        assert_components(
            r#"{"file_search_cost_per_1k_calls": 2.5}"#,
            &[("file_search", "standard", 0, "0.0025")],
        );
    }

    #[test]
    fn dbu_and_other_fields_are_no_prices() {
        assert_components(
            r#"{
                "input_cost_per_token": 1e-06,
                "input_dbu_cost_per_token": 1.4e-05,
                "max_tokens": 4096,
                "supports_vision": true,
                "metadata": {"notes": "cost"}
            }"#,
            &[],
        );
    }

    #[test]
    fn an_alias_names_its_model() {
        let alias = read("azure/gpt-latest", r#"{"alias_of": "azure/gpt-6"}"#);
        assert_eq!(alias, Entry::Alias("azure/gpt-6".to_owned()));
    }

    #[test]
    fn entries_without_a_usable_price_are_skipped_with_a_reason() {
        assert_skipped("sample_spec", r#"{"input_cost_per_token": 0.0}"#, "not a model");
        assert_skipped(" ", r#"{"input_cost_per_token": 1}"#, "the name is blank");
        assert_skipped(&"a".repeat(501), r#"{"input_cost_per_token": 1}"#, "the name is too long");
        for (fields, reason) in [
            ("{}", "no price"),
            (r#"{"mode": "chat", "input_cost_per_token": null}"#, "no price"),
            (r#"{"input_dbu_cost_per_token": 1e-05}"#, "no price"),
            (r#"{"tiered_pricing": [{"range": [0, 1]}]}"#, "prices by range"),
            (r#"{"tiered_pricing": [], "input_cost_per_query": 1}"#, "prices by range"),
            (r#"{"tiered_pricing": [{}], "input_cost_per_token": 2e-06}"#, "prices by range"),
            (r#"{"input_cost_per_token_priority": 1e-06}"#, "no price in the standard tier"),
            (r#"{"input_cost_per_token": -1e-06}"#, "negative price"),
            (r#"{"guardrail_cost_per_unit": {"word": -1}}"#, "negative price"),
            (r#"{"input_cost_per_token": "1"}"#, "not a number: input_cost_per_token"),
            (r#"{"ocr_cost_per_page": true}"#, "not a number: ocr_cost_per_page"),
            (r#"{"x_cost_per_y": {"z": []}}"#, "not a number: x_cost_per_y"),
        ] {
            assert_skipped("model", fields, reason);
        }
        let longest = read(&"a".repeat(500), r#"{"input_cost_per_token": 1}"#);
        assert!(matches!(longest, Entry::Price { .. }));
    }

    #[test]
    fn a_step_of_xai_begins_at_its_length() {
        let (_, _, components) = priced(
            r#"{"litellm_provider": "xai", "input_cost_per_token": 2e-06, "input_cost_per_token_above_128k_tokens": 4e-06}"#,
        );
        assert_eq!(components.first().map(|component| component.2), Some(127_999));
    }
}
