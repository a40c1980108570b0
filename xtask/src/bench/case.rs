//! A case of the benchmark and its results.

use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::database::Bench;

/// One thing that is measured, in a file of its own below `cases/`.
pub struct Case {
    pub name: &'static str,
    pub title: &'static str,
    /// The measured call, its baseline, and the differences between the two.
    pub about: &'static str,
    /// Functions and relations of schema `orchestrator` that the case needs.
    pub needs: &'static [&'static str],
    pub run: fn(&Bench) -> Result<Outcome>,
}

/// The medians of a case.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Outcome {
    /// The baselines, in the order of the times of each line.
    pub baselines: Vec<String>,
    pub lines: Vec<Line>,
}

/// The medians of one measurement: ours, then those of the baselines.
#[derive(Debug, Deserialize, Serialize)]
pub struct Line {
    /// The name of the measurement. Lines of the same name differ only in their scale.
    pub what: String,
    /// The number of rows, connections or the like.
    pub scale: String,
    pub ours: Duration,
    pub baselines: Vec<Duration>,
    pub target: Option<Target>,
}

/// The last results of a case, and the machine.
#[derive(Debug, Deserialize, Serialize)]
pub struct Measured {
    pub machine: String,
    pub rows: u64,
    pub rounds: usize,
    pub outcome: Outcome,
}

/// The longest time that ours may take.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub enum Target {
    /// As a ratio to the first baseline.
    Ratio(f64),
    /// As a ratio to ours at the first line of the same name.
    Growth(f64),
}

impl Outcome {
    pub fn against(baselines: &[&'static str]) -> Self {
        let baselines = baselines.iter().map(|name| (*name).to_owned()).collect();
        Self { baselines, lines: Vec::new() }
    }

    /// Adds a line; `medians` are ours, then the baselines'.
    pub fn add(&mut self, what: &str, scale: String, medians: &[Duration], target: Option<Target>) {
        let (ours, baselines) = match medians {
            [ours, baselines @ ..] => (*ours, baselines.to_vec()),
            [] => return,
        };
        self.lines.push(Line { what: what.to_owned(), scale, ours, baselines, target });
    }

    /// Ours at this line against ours at the first line of the same name; nothing for that one.
    pub fn growth(&self, at: usize) -> Option<f64> {
        let line = self.lines.get(at)?;
        let first = self.lines.iter().position(|other| other.what == line.what)?;
        (first < at).then(|| ratio(line.ours, self.lines[first].ours))
    }

    /// The measured value and its upper limit; `None` if the line has no target.
    pub fn judged(&self, at: usize) -> Option<(f64, f64)> {
        let line = self.lines.get(at)?;
        match line.target? {
            Target::Ratio(at_most) => Some((line.ratio(0)?, at_most)),
            Target::Growth(at_most) => Some((self.growth(at)?, at_most)),
        }
    }

    /// Whether a line misses its target, even by a small amount.
    pub fn is_missed(&self, at: usize) -> bool {
        self.judged(at).is_some_and(|(is, at_most)| is > at_most)
    }
}

impl Line {
    /// Ours against a baseline.
    pub fn ratio(&self, baseline: usize) -> Option<f64> {
        Some(ratio(self.ours, *self.baselines.get(baseline)?))
    }
}

fn ratio(ours: Duration, other: Duration) -> f64 {
    ours.as_secs_f64() / other.as_secs_f64().max(f64::MIN_POSITIVE)
}

/// A number of connections, in words.
pub fn connections(count: usize) -> String {
    if count == 1 { "1 connection".to_owned() } else { format!("{count} connections") }
}

/// A number of rows with commas between thousands.
pub fn rows(count: u64) -> String {
    let digits = count.to_string();
    let first = digits.len() % 3;
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == first {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{text} rows")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome() -> Outcome {
        let seconds = Duration::from_secs;
        let mut outcome = Outcome::against(&["a", "b"]);
        outcome.add(
            "x",
            "1".into(),
            &[seconds(1), seconds(2), seconds(4)],
            Some(Target::Ratio(0.5)),
        );
        outcome.add("y", "1".into(), &[seconds(5), seconds(4)], Some(Target::Ratio(1.0)));
        outcome.add("x", "2".into(), &[seconds(3), seconds(3)], Some(Target::Growth(1.5)));
        outcome
    }

    #[test]
    fn lines_are_compared_with_their_baselines_and_targets() {
        let outcome = outcome();
        let lines = &outcome.lines;
        assert_eq!((lines[0].ratio(0), lines[0].ratio(1)), (Some(0.5), Some(0.25)));
        assert_eq!(lines[1].ratio(1), None);
        let judged: Vec<_> = (0..3).map(|at| outcome.judged(at)).collect();
        assert_eq!(judged, [Some((0.5, 0.5)), Some((1.25, 1.0)), Some((3.0, 1.5))]);
        assert_eq!([0, 1, 2].map(|at| outcome.is_missed(at)), [false, true, true]);
    }

    #[test]
    fn growth_is_against_the_first_line_of_the_same_name() {
        let outcome = outcome();
        assert_eq!(
            (0..3).map(|at| outcome.growth(at)).collect::<Vec<_>>(),
            [None, None, Some(3.0)]
        );
    }

    #[test]
    fn rows_are_grouped_by_thousands() {
        assert_eq!(rows(0), "0 rows");
        assert_eq!(rows(100), "100 rows");
        assert_eq!(rows(100_000), "100,000 rows");
        assert_eq!(rows(1_000_000), "1,000,000 rows");
    }
}
