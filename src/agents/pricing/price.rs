//! A price as costs need it: its unit costs are whole numbers of one small fraction of a USD, so that a cost is a sum of
//! products of whole numbers. Units, and numbers that are too large, are computed with the server's numeric.

use std::cell::RefCell;
use std::rc::Rc;

use pgrx::{AnyNumeric, FromDatum};

use super::sums::Calls;
use super::unit_costs::{COUNTED, UnitCost, UnitCosts};
use crate::server::numeric_array::Numeric;

/// The number of tiers and steps whose unit costs a price keeps.
const KEPT: usize = 64;
/// The most decimals of a fraction.
const MOST_DECIMALS: usize = 24;

/// Component, service tier, step, and USD per unit. No USD: somebody has let the column of the price be null.
pub type Row = (String, String, i64, Option<String>);

/// The unit costs of a price.
pub struct Price {
    costs: UnitCosts<Usd>,
    decimals: usize,
    counted: RefCell<Vec<Rc<Counted>>>,
}

struct Usd {
    exact: AnyNumeric,
    /// The number of fractions; `None` if they have too many digits.
    fractions: Option<i128>,
}

/// The unit costs, in fractions, of calls with a tier and a length of the input.
struct Counted {
    service_tier: String,
    n: i64,
    fractions: [Option<i128>; COUNTED.len()],
}

impl Price {
    /// The price with these unit costs; `None` if one is no number.
    pub fn new(rows: Vec<Row>) -> Option<Price> {
        let decimals = rows.iter().filter_map(|row| row.3.as_deref()).map(decimals).max();
        let decimals = decimals.unwrap_or(0).min(MOST_DECIMALS);
        let unit_cost = |(component, service_tier, above_input, usd): Row| {
            let usd = usd?;
            let exact = AnyNumeric::try_from(usd.as_str()).ok();
            let usd = exact.map(|exact| Usd { exact, fractions: fractions(&usd, decimals) });
            Some(usd.map(|usd| UnitCost { component, service_tier, above_input, usd }))
        };
        let costs = rows.into_iter().filter_map(unit_cost).collect::<Option<_>>()?;
        Some(Price { costs: UnitCosts(costs), decimals, counted: RefCell::default() })
    }

    /// Whether a unit has a cost for calls with a tier and a length of the input.
    pub fn has(&self, unit: &str, service_tier: &str, n: i64) -> bool {
        self.costs.of(unit, service_tier, n).is_some()
    }

    /// The cost of calls; `None` if one of their units has none.
    pub fn cost(&self, calls: &Calls) -> Option<Cost> {
        if calls.units.is_empty()
            && let Some(fractions) = self.in_fractions(calls)
        {
            return Some(Cost { fractions, decimals: self.decimals, exact: None });
        }
        let zero = AnyNumeric::from(0);
        let mut exact = zero.clone();
        let tokens = calls.tokens.map(AnyNumeric::from);
        let counted = COUNTED.into_iter().zip(&tokens);
        let units = calls.units.iter().map(|(unit, quantity)| (unit.as_str(), quantity));
        for (component, quantity) in counted.chain(units).filter(|(_, quantity)| **quantity != zero)
        {
            let usd = self.costs.of(component, calls.service_tier, calls.n)?;
            exact += quantity.clone() * usd.exact.clone();
        }
        Some(Cost { exact: Some(exact), ..Cost::default() })
    }

    /// The cost in fractions; `None` if a component has no cost, or a number is too large.
    fn in_fractions(&self, calls: &Calls) -> Option<i128> {
        let costs = self.counted(calls.service_tier, calls.n);
        let products = calls.tokens.iter().zip(costs.fractions);
        products.filter(|(tokens, _)| **tokens != 0).try_fold(0_i128, |sum, (tokens, fractions)| {
            sum.checked_add(tokens.checked_mul(fractions?)?)
        })
    }

    fn counted(&self, service_tier: &str, n: i64) -> Rc<Counted> {
        let mut kept = self.counted.borrow_mut();
        let known = kept.iter().find(|costs| costs.n == n && costs.service_tier == service_tier);
        if let Some(known) = known {
            return Rc::clone(known);
        }
        let fractions = |component| self.costs.of(component, service_tier, n)?.fractions;
        let service_tier = service_tier.to_owned();
        let costs = Rc::new(Counted { service_tier, n, fractions: COUNTED.map(fractions) });
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.push(Rc::clone(&costs));
        costs
    }
}

/// USD, as a number of fractions and what is beyond them.
#[derive(Default)]
pub struct Cost {
    fractions: i128,
    decimals: usize,
    exact: Option<AnyNumeric>,
}

impl Cost {
    /// A cost that somebody reported.
    pub fn reported(usd: AnyNumeric) -> Cost {
        Cost { exact: Some(usd), ..Cost::default() }
    }

    /// The sum of both.
    pub fn plus(self, other: Cost) -> Cost {
        if self.exact.is_none()
            && other.exact.is_none()
            && self.decimals == other.decimals
            && let Some(fractions) = self.fractions.checked_add(other.fractions)
        {
            return Cost { fractions, ..self };
        }
        Cost::reported(self.usd() + other.usd())
    }

    /// The exact number of USD.
    pub fn usd(self) -> AnyNumeric {
        let usd = self.numeric().datum();
        // SAFETY: a number of the server's.
        unsafe { AnyNumeric::from_datum(usd, false) }.unwrap_or_else(|| 0.into())
    }

    /// The same, in the server's own form.
    pub fn numeric(self) -> Numeric {
        match self.exact {
            Some(exact) => Numeric::from(exact),
            None => Numeric::decimal(self.fractions, self.decimals),
        }
    }
}

/// The decimals of an amount; a cost has as many as the most exact unit cost of its price.
fn decimals(usd: &str) -> usize {
    usd.split_once('.').map_or(0, |(_, decimals)| decimals.len())
}

/// A decimal as a number of fractions; `None` if it is no whole number of them, or too large.
fn fractions(usd: &str, decimals: usize) -> Option<i128> {
    let (whole, part) = usd.split_once('.').unwrap_or((usd, ""));
    (part.len() <= decimals).then(|| format!("{whole}{part:0<decimals$}").parse().ok()).flatten()
}
