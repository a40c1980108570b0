//! The difference between two snapshots, by the names of objects.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::server::interrupts;

/// The schema of a qualified, quoted name.
pub fn schema_of(name: &str) -> String {
    let Some(quoted) = name.strip_prefix('"') else {
        return name.split('.').next().unwrap_or_default().to_owned();
    };
    let mut schema = String::new();
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        if letter == '"' && letters.next() != Some('"') {
            break;
        }
        schema.push(letter);
    }
    schema
}

/// One object that differs.
#[derive(Debug, PartialEq)]
pub struct Difference {
    pub name: String,
    pub was: Option<String>,
    pub now: Option<String>,
}

/// Where two sets of definitions differ, by name.
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut pairs: BTreeMap<&str, (Option<&Value>, Option<&Value>)> = BTreeMap::new();
    for (name, definition) in before.as_object().into_iter().flatten() {
        interrupts::allow();
        pairs.entry(name).or_default().0 = Some(definition);
    }
    for (name, definition) in after.as_object().into_iter().flatten() {
        interrupts::allow();
        pairs.entry(name).or_default().1 = Some(definition);
    }
    pairs
        .into_iter()
        .filter(|(_, (was, now))| {
            interrupts::allow();
            was != now
        })
        .map(|(name, (was, now))| Difference {
            name: name.to_owned(),
            was: was.map(plain),
            now: now.map(plain),
        })
        .collect()
}

/// A definition for people: a text without quotes, any other value as JSON.
fn plain(definition: &Value) -> String {
    definition.as_str().map_or_else(|| definition.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn the_schema_of_a_name_is_read_through_its_quotes() {
        assert_eq!(schema_of("public.t"), "public");
        assert_eq!(schema_of("\"my.schema\".t.\"c.d\""), "my.schema");
        assert_eq!(schema_of("\"a \"\"b\"\"\".f(integer)"), "a \"b\"");
        assert_eq!(schema_of("public"), "public");
    }

    #[test]
    fn added_removed_and_changed_are_told_apart() {
        let before = json!({"a": "text", "b": "integer", "c": "same"});
        let after = json!({"b": "bigint", "c": "same", "d": {"labels": ["x"]}});
        let found = differences(&before, &after);
        let was_now: Vec<_> =
            found.iter().map(|d| (d.name.as_str(), d.was.as_deref(), d.now.as_deref())).collect();
        assert_eq!(
            was_now,
            [
                ("a", Some("text"), None),
                ("b", Some("integer"), Some("bigint")),
                ("d", None, Some("{\"labels\":[\"x\"]}")),
            ]
        );
    }

    proptest! {
        #[test]
        fn nothing_differs_from_itself_and_what_differs_one_way_differs_the_other(
            a in prop::collection::btree_map("[a-c]{1,2}", 0..3i32, 0..6),
            b in prop::collection::btree_map("[a-c]{1,2}", 0..3i32, 0..6),
        ) {
            let (a, b) = (json!(a), json!(b));
            prop_assert!(differences(&a, &a).is_empty());
            let there = differences(&a, &b);
            let back = differences(&b, &a);
            prop_assert_eq!(there.len(), back.len());
            for (one, other) in there.iter().zip(&back) {
                prop_assert_eq!((&one.was, &one.now), (&other.now, &other.was));
            }
        }
    }
}
