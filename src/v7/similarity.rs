//! Similarity of enum types: plain rules over names and labels.

use std::collections::BTreeSet;

use crate::server::interrupts;

/// The reason why two enum types are similar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    NamesAgree,
    OneLetter,
    LabelsOverlap,
}

impl Reason {
    pub fn in_words(self) -> &'static str {
        match self {
            Reason::NamesAgree => "names agree",
            Reason::OneLetter => "names differ by one letter",
            Reason::LabelsOverlap => "labels overlap",
        }
    }
}

/// The shortest name, in letters, in which one letter may be a typo.
const SHORTEST_TYPO: usize = 4;

/// The reason why two enum types are similar, if they are.
pub fn reason(names: (&str, &str), similarity: f64, minimum_similarity: f64) -> Option<Reason> {
    let (a, b) = (essence(names.0), essence(names.1));
    if a == b {
        Some(Reason::NamesAgree)
    } else if one_letter_apart(&a, &b) {
        Some(Reason::OneLetter)
    } else if similarity > 0.0 && similarity >= minimum_similarity {
        Some(Reason::LabelsOverlap)
    } else {
        None
    }
}

/// A name in lower case, without underscores and a trailing "enum".
fn essence(name: &str) -> String {
    let plain = name.to_lowercase().replace('_', "");
    match plain.strip_suffix("enum") {
        Some(stem) if !stem.is_empty() => stem.to_owned(),
        _ => plain,
    }
}

/// A name in its plain form, and, if it is long enough for typos, that form without each of its letters.
/// Two names that agree, or are one letter apart, share one of these.
pub fn typos(name: &str) -> BTreeSet<String> {
    let name = essence(name);
    let letters: Vec<char> = name.chars().collect();
    let mut found = BTreeSet::new();
    if letters.len() >= SHORTEST_TYPO {
        for place in 0..letters.len() {
            found.insert([&letters[..place], &letters[place + 1..]].concat().iter().collect());
        }
    }
    found.insert(name);
    found
}

/// Whether one typo turns one name into the other: a letter added, left out or replaced, or two
/// neighbours swapped. A digit is no typo: status_v1 and status_v2 differ on purpose.
fn one_letter_apart(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let (short, long) = if a.len() <= b.len() { (&a, &b) } else { (&b, &a) };
    if short.len() < SHORTEST_TYPO || long.len() > short.len() + 1 {
        return false;
    }
    let start = short.iter().zip(long).take_while(|(x, y)| x == y).count();
    if start == long.len() {
        return false;
    }
    if long.len() > short.len() {
        return !long[start].is_numeric() && short[start..] == long[start + 1..];
    }
    let replaced = short[start + 1..] == long[start + 1..];
    let swapped = start + 1 < short.len()
        && short[start] == long[start + 1]
        && short[start + 1] == long[start]
        && short[start + 2..] == long[start + 2..];
    swapped || (replaced && !(short[start].is_numeric() && long[start].is_numeric()))
}

/// The common share of two label sets, 0 to 1, and the labels that only one of them has.
pub fn overlap(a: &[String], b: &[String]) -> (f64, Vec<String>, Vec<String>) {
    let (set_a, set_b): (BTreeSet<_>, BTreeSet<_>) = (a.iter().collect(), b.iter().collect());
    let only = |own: &[String], other: &BTreeSet<&String>| -> Vec<String> {
        let is_alone = |label: &&String| {
            interrupts::allow();
            !other.contains(label)
        };
        own.iter().filter(is_alone).cloned().collect()
    };
    let all = set_a.union(&set_b).count();
    let common = set_a.intersection(&set_b).count();
    let similarity = if all == 0 { 0.0 } else { common as f64 / all as f64 };
    (similarity, only(a, &set_b), only(b, &set_a))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn variants_of_one_name_agree() {
        for (a, b) in [
            ("contact_curation_status", "contactcurationstatus"),
            ("contact_email_type_enum", "contactemailtypeenum"),
            ("sitemap_curation_status", "sitemap_curation_status_enum"),
            ("sitemap_file_status_enum", "sitemapfilestatusenum"),
            ("Sync_Status", "syncstatus"),
            ("Gr\u{f6}\u{df}e", "gr\u{f6}\u{df}e_enum"),
        ] {
            assert_eq!(reason((a, b), 0.0, 0.8), Some(Reason::NamesAgree), "{a} {b}");
        }
        assert_eq!(essence("enum"), "enum", "a name is never emptied");
    }

    #[test]
    fn one_letter_is_a_typo_and_two_are_not() {
        for (a, b) in [
            ("contact_status", "contct_status"),
            ("contact_status", "contcat_status"),
            ("contact_status", "contact_statuss"),
            ("contact_status", "kontact_status"),
        ] {
            assert_eq!(reason((a, b), 0.0, 0.8), Some(Reason::OneLetter), "{a} {b}");
        }
        for (a, b) in [
            ("contact_status", "cntct_status"),
            ("status_v1", "status_v2"),
            ("status", "status2"),
            ("sex", "six"),
            ("order", "invoice"),
        ] {
            assert_eq!(reason((a, b), 0.0, 0.8), None, "{a} {b}");
        }
    }

    #[test]
    fn labels_overlap_by_their_common_share() {
        let seven = labels("New Selected Queued Processing Complete Error Skipped");
        let six = labels("New Queued Processing Complete Error Skipped");
        let (similarity, only_a, only_b) = overlap(&seven, &six);
        assert!((similarity - 6.0 / 7.0).abs() < 1e-12);
        assert_eq!((only_a, only_b), (labels("Selected"), vec![]));
        assert_eq!(reason(("crm_sync", "brevo"), similarity, 0.8), Some(Reason::LabelsOverlap));
        assert_eq!(reason(("crm_sync", "brevo"), similarity, 0.9), None);
        assert_eq!(overlap(&[], &[]), (0.0, vec![], vec![]));
        assert_eq!(reason(("a", "b"), 0.0, 0.0), None, "nothing in common is no overlap");
    }

    proptest! {
        #[test]
        fn order_does_not_matter(a in "[a-zA-Z_0-9]{0,12}", b in "[a-zA-Z_0-9]{0,12}", s in 0.0..=1.0f64) {
            prop_assert_eq!(reason((&a, &b), s, 0.8), reason((&b, &a), s, 0.8));
        }

        #[test]
        fn any_single_typo_is_found(name in "[a-z]{5,20}", place in 0usize..5, letter in "[a-z]") {
            let mut longer = name.clone();
            longer.insert_str(place, &letter);
            prop_assert!(reason((&name, &longer), 0.0, 1.0).is_some());
            let mut shorter = name.clone();
            shorter.remove(place);
            prop_assert!(reason((&name, &shorter), 0.0, 1.0).is_some());
        }

        #[test]
        fn similarity_is_symmetric_and_a_share(a in prop::collection::vec("[a-d]{1,2}", 0..6), b in prop::collection::vec("[a-d]{1,2}", 0..6)) {
            let (one, other) = (overlap(&a, &b), overlap(&b, &a));
            prop_assert_eq!(one.0, other.0);
            prop_assert!((0.0..=1.0).contains(&one.0));
            prop_assert_eq!(&one.1, &other.2);
        }
    }
}
