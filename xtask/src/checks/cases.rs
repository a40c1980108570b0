//! The cases of checks that have many. `cargo xtask test` goes through few of them, always the same, so that it ends within
//! minutes. A check that is run by its name, and `cargo xtask test --all-cases`, go through all.

use std::env;

/// The variable of the environment with which a check goes through few cases.
pub const FEW_CASES: &str = "ORCHESTRATOR_FEW_CASES";

/// Whether the running check goes through few cases.
fn are_few() -> bool {
    env::var_os(FEW_CASES).is_some()
}

/// All cases; or `few` of them: the first, the last, and others at equal distances between these.
pub fn chosen<T>(cases: impl IntoIterator<Item = T>, few: usize) -> Vec<T> {
    let cases: Vec<T> = cases.into_iter().collect();
    if are_few() { spread(cases, few) } else { cases }
}

/// The number of repetitions: all, or few.
pub fn number(all: usize, few: usize) -> usize {
    if are_few() { few } else { all }
}

fn spread<T>(cases: Vec<T>, few: usize) -> Vec<T> {
    let (last, gaps) = (cases.len().saturating_sub(1), few.saturating_sub(1).max(1));
    let places: Vec<usize> = (0..few).map(|gap| gap * last / gaps).collect();
    let is_chosen = |place: &usize| few > last || places.contains(place);
    cases
        .into_iter()
        .enumerate()
        .filter(|(place, _)| is_chosen(place))
        .map(|(_, case)| case)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_cases_reach_from_the_first_to_the_last() {
        let cases = || (0..30).collect::<Vec<_>>();
        assert_eq!(spread(cases(), 4), [0, 9, 19, 29]);
        assert_eq!(spread(cases(), 2), [0, 29]);
        assert_eq!(spread(cases(), 30), cases());
        assert_eq!(spread(cases(), 99), cases());
        assert_eq!(spread(vec![7], 3), [7]);
        assert!(spread(Vec::<u8>::new(), 3).is_empty());
    }
}
