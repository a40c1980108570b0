//! Names that somebody may have meant.

/// The names among `known` that are near to what was asked for, nearest first.
pub fn matches<'a>(asked: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    const SHOWN: usize = 8;
    // No name is longer.
    const LONGEST: usize = 63;
    if asked.len() > LONGEST {
        return Vec::new();
    }
    let mut near: Vec<(usize, &str)> =
        known.filter_map(|name| distance(asked, name).map(|distance| (distance, name))).collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().map(|(_, name)| name).take(SHOWN).collect()
}

/// How far a name is from what was asked for; `None` when the two have nothing in common.
fn distance(asked: &str, name: &str) -> Option<usize> {
    if name.contains(asked) {
        return Some(0);
    }
    let typos = edits(asked, name);
    if typos <= asked.chars().count() / 4 {
        return Some(typos);
    }
    let shared =
        asked.split('_').any(|word| word.len() > 3 && name.split('_').any(|of| alike(word, of)));
    shared.then_some(typos.max(1))
}

/// Whether two words differ in their endings at most: `run` and `runs`, `review` and `reviews`.
fn alike(one: &str, other: &str) -> bool {
    one.trim_end_matches('s') == other.trim_end_matches('s')
}

/// The number of letters to insert, delete or replace between two words (Levenshtein).
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, against) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *against);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_share_something_are_found_nearest_first() {
        let near =
            |asked| matches(asked, ["start_run", "pause_run", "run_summary", "tasks"].into_iter());
        assert_eq!(near("task"), ["tasks"]);
        assert_eq!(near("runs"), ["pause_run", "run_summary", "start_run"], "a word in common");
        assert_eq!(near("run"), ["pause_run", "run_summary", "start_run"]);
        assert_eq!(near("start_rum"), ["start_run"]);
        assert_eq!(near("pausing_summaries"), [""; 0]);
        assert_eq!(near("summary_of_it"), ["run_summary"]);
        assert_eq!(near("coffee"), [""; 0]);
        assert_eq!(near(&"x".repeat(1_000_000)), [""; 0]);
    }

    #[test]
    fn edits_are_counted() {
        for (one, other, expected) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("ab", "ba", 2),
        ] {
            assert_eq!(edits(one, other), expected, "{one} {other}");
            assert_eq!(edits(other, one), expected, "{other} {one}");
        }
    }
}
