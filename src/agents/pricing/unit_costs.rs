//! The unit costs of a price: which of them holds for a component, in a service tier, at a length of the input.
//! Decision `unit-costs-fall-back`.

/// The tier of a call that names none.
pub const STANDARD: &str = "standard";

/// The components that a call counts in columns of their own.
pub const INPUT: &str = "input";
pub const OUTPUT: &str = "output";
pub const CACHE_READ: &str = "cache_read";
pub const CACHE_WRITE: &str = "cache_write";
pub const CACHE_WRITE_1H: &str = "cache_write_1h";
pub const REASONING: &str = "reasoning";
pub const COUNTED: [&str; 6] = [INPUT, OUTPUT, CACHE_READ, CACHE_WRITE, CACHE_WRITE_1H, REASONING];

/// The unit cost of a component in a tier, from a length of the input on.
pub struct UnitCost<V> {
    pub component: String,
    pub service_tier: String,
    /// It holds for a call with a longer input; 0 for every call.
    pub above_input: i64,
    pub usd: V,
}

/// All unit costs of a price.
pub struct UnitCosts<V>(pub Vec<UnitCost<V>>);

impl<V> UnitCosts<V> {
    /// The cost of one unit; `None` if the price has none. `n`: the whole input of the call, in tokens.
    pub fn of(&self, component: &str, service_tier: &str, n: i64) -> Option<&V> {
        let mut component = Some(component);
        while let Some(name) = component {
            let cost = self
                .in_tier(name, service_tier, n)
                .or_else(|| self.of_whole(name, service_tier, n))
                .or_else(|| self.step(name, STANDARD, n));
            if let Some(cost) = cost {
                return Some(&cost.usd);
            }
            component = kind_of(name);
        }
        None
    }

    /// The cost in a tier of the input or output that a component is a part of, if the tier has none for the part.
    fn of_whole(&self, component: &str, service_tier: &str, n: i64) -> Option<&UnitCost<V>> {
        let is_priced = self.0.iter().any(|cost| cost.is(component, service_tier));
        let kind = kind_of(component).filter(|_| is_part(component) && !is_priced)?;
        self.in_tier(kind, service_tier, n).filter(|_| service_tier != STANDARD)
    }

    /// The step of a tier, unless the standard tier has a higher one for that input.
    fn in_tier(&self, component: &str, service_tier: &str, n: i64) -> Option<&UnitCost<V>> {
        let standard = self.step(component, STANDARD, n).map_or(0, |cost| cost.above_input);
        self.step(component, service_tier, n).filter(|cost| cost.above_input >= standard)
    }

    fn step(&self, component: &str, service_tier: &str, n: i64) -> Option<&UnitCost<V>> {
        let holds = |cost: &&UnitCost<V>| {
            cost.is(component, service_tier) && (cost.above_input == 0 || cost.above_input < n)
        };
        self.0.iter().filter(holds).max_by_key(|cost| cost.above_input)
    }
}

impl<V> UnitCost<V> {
    fn is(&self, component: &str, service_tier: &str) -> bool {
        self.component == component && self.service_tier == service_tier
    }
}

/// The component whose unit cost holds for one that has none of its own.
fn kind_of(component: &str) -> Option<&'static str> {
    match component {
        CACHE_READ | CACHE_WRITE | "audio_input" | "image_input" | "video_input" => Some(INPUT),
        CACHE_WRITE_1H | "audio_cache_write" => Some(CACHE_WRITE),
        "audio_cache_read" | "image_cache_read" => Some(CACHE_READ),
        REASONING | "audio_output" | "image_output" | "video_output" => Some(OUTPUT),
        _ => None,
    }
}

/// Whether a component is a part of the input or output of a call, rather than a use of the cache.
fn is_part(component: &str) -> bool {
    !matches!(component, CACHE_READ | CACHE_WRITE | CACHE_WRITE_1H)
}

/// Whether a unit is a token of the input, and so counts for the length of the input.
pub fn is_input(unit: &str) -> bool {
    let mut component = kind_of(unit);
    while let Some(kind) = component {
        if kind == INPUT {
            return true;
        }
        component = kind_of(kind);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(rows: &[(&str, &str, i64, u32)]) -> UnitCosts<u32> {
        let cost = |(component, tier, above_input, usd): &(&str, &str, i64, u32)| UnitCost {
            component: (*component).to_owned(),
            service_tier: (*tier).to_owned(),
            above_input: *above_input,
            usd: *usd,
        };
        UnitCosts(rows.iter().map(cost).collect())
    }

    #[test]
    fn a_step_holds_above_its_length_and_the_base_for_every_call() {
        let costs = costs(&[("input", STANDARD, 0, 3), ("input", STANDARD, 200_000, 6)]);
        for (n, usd) in [(0, 3), (200_000, 3), (200_001, 6)] {
            assert_eq!(costs.of(INPUT, STANDARD, n), Some(&usd), "{n}");
        }
    }

    #[test]
    fn a_component_without_a_cost_has_that_of_its_kind() {
        let costs = costs(&[("input", STANDARD, 0, 3), ("output", STANDARD, 0, 15)]);
        for component in
            [CACHE_READ, CACHE_WRITE, CACHE_WRITE_1H, "audio_input", "audio_cache_read"]
        {
            assert_eq!(costs.of(component, STANDARD, 1), Some(&3), "{component}");
            assert_eq!(costs.of(component, "flex", 1), Some(&3), "{component}");
        }
        assert_eq!(costs.of(REASONING, STANDARD, 1), Some(&15));
        assert_eq!(costs.of("web_search", STANDARD, 1), None);
    }

    #[test]
    fn a_longer_write_costs_as_much_as_a_short_one_before_it_costs_as_much_as_input() {
        let costs = costs(&[("input", STANDARD, 0, 3), ("cache_write", STANDARD, 0, 4)]);
        assert_eq!(costs.of(CACHE_WRITE_1H, STANDARD, 1), Some(&4));
    }

    #[test]
    fn a_tier_holds_unless_the_standard_tier_takes_a_higher_step() {
        let costs = costs(&[
            ("input", STANDARD, 0, 3),
            ("input", STANDARD, 200_000, 6),
            ("input", "flex", 0, 1),
            ("output", STANDARD, 0, 15),
            ("output", "flex", 0, 7),
            ("output", "flex", 200_000, 8),
        ]);
        assert_eq!(costs.of(INPUT, "flex", 200_000), Some(&1));
        assert_eq!(costs.of(INPUT, "flex", 200_001), Some(&6));
        assert_eq!(costs.of(OUTPUT, "flex", 200_001), Some(&8));
        assert_eq!(costs.of(INPUT, "unknown", 1), Some(&3));
    }

    #[test]
    fn a_part_of_the_output_has_the_cost_of_output_in_a_tier_but_a_cached_token_does_not() {
        let costs = costs(&[
            ("input", STANDARD, 0, 4),
            ("input", "flex", 0, 2),
            ("cache_read", STANDARD, 0, 1),
            ("output", STANDARD, 0, 8),
            ("output", "flex", 0, 5),
            ("reasoning", STANDARD, 0, 9),
        ]);
        assert_eq!(costs.of(REASONING, "flex", 1), Some(&5));
        assert_eq!(costs.of("audio_input", "flex", 1), Some(&2));
        assert_eq!(costs.of(CACHE_READ, "flex", 1), Some(&1));
        // A write without any cost of its own is charged as new input of that tier.
        assert_eq!(costs.of(CACHE_WRITE, "flex", 1), Some(&2));
        assert_eq!(costs.of(CACHE_WRITE_1H, "flex", 1), Some(&2));
    }

    #[test]
    fn units_that_are_tokens_of_the_input_count_for_its_length() {
        for unit in ["audio_input", "image_input", "audio_cache_read", "audio_cache_write"] {
            assert!(is_input(unit), "{unit}");
        }
        for unit in ["audio_output", "image", "web_search", ""] {
            assert!(!is_input(unit), "{unit}");
        }
    }
}
