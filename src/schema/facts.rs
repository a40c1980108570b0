//! The facts that define a member, as `members.sql` reads them from the catalog and the manifest
//! holds them for each version. A fact that is as usual is absent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value};

/// A member is (`table`, `column`, `index`, ...) and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    pub kind: String,
    pub object: String,
}

impl Member {
    pub fn new(kind: &str, object: &str) -> Member {
        Member { kind: kind.to_owned(), object: object.to_owned() }
    }

    /// The member that contains this one, and its own name: the last of its names, quoted as it is.
    pub fn split(&self) -> (&str, &str) {
        split(&self.object)
    }
}

/// The member that contains the named one, and its own name: the last of its names, quoted as it is.
pub fn split(object: &str) -> (&str, &str) {
    let mut quoted = false;
    let mut last = None;
    for (at, byte) in object.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'.' if !quoted => last = Some(at),
            _ => {}
        }
    }
    match last {
        Some(at) => (&object[..at], &object[at + 1..]),
        None => ("", object),
    }
}

/// Members with their facts. Facts are shared: the manifest's are in every version that has them.
pub type Members = BTreeMap<Member, Arc<Facts>>;

/// What defines one member.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The member that it is a part of.
    pub part_of: Option<String>,
    /// All facts as the server writes jsonb: equal facts are equal texts.
    text: String,
    /// The same, once somebody asks for one of them.
    values: OnceLock<Map<String, Value>>,
    /// Facts that depend on a wording which nobody knows.
    not_compared: BTreeSet<String>,
    /// Facts of the manifest that its oldest major words otherwise.
    oldest: Map<String, Value>,
}

impl PartialEq for Facts {
    fn eq(&self, other: &Facts) -> bool {
        self.part_of == other.part_of && self.text == other.text
    }
}

impl Facts {
    pub fn new(part_of: Option<String>, values: Map<String, Value>) -> Facts {
        Facts { part_of, text: written(&values), values: values.into(), ..Facts::default() }
    }

    /// The facts that the server wrote.
    pub fn written(part_of: Option<String>, text: String) -> Facts {
        Facts { part_of, text, ..Facts::default() }
    }

    fn values(&self) -> &Map<String, Value> {
        self.values.get_or_init(|| serde_json::from_str(&self.text).unwrap_or_default())
    }

    /// These facts with other values.
    fn with(&self, values: Map<String, Value>) -> Facts {
        let Facts { part_of, not_compared, oldest, .. } = self.clone();
        Facts { not_compared, oldest, ..Facts::new(part_of, values) }
    }

    /// These facts, of which some are worded in a way that the manifest does not know.
    pub fn not_compared_in(mut self, names: BTreeSet<String>) -> Facts {
        self.not_compared = names;
        self
    }

    /// These facts, as a later major words them.
    pub fn worded(self, wording: Map<String, Value>) -> Facts {
        let (mut values, mut oldest) = (self.values().clone(), self.oldest.clone());
        for (name, value) in wording {
            if let Some(before) = values.insert(name.clone(), value) {
                oldest.entry(name).or_insert(before);
            }
        }
        Facts { oldest, ..self.with(values) }
    }

    /// These facts in the words of the oldest major: the same on every server.
    pub fn in_oldest_words(&self) -> Facts {
        let mut values = self.values().clone();
        values.extend(self.oldest.clone());
        self.with(values)
    }

    /// Whether a member of the catalog is as this one of the manifest.
    pub fn is_met_by(&self, actual: &Facts) -> bool {
        if self.not_compared.is_empty() {
            return self == actual;
        }
        let names: Vec<&str> = self.not_compared.iter().map(String::as_str).collect();
        self.equal_but_for(actual, &names)
    }

    /// The facts of a member of the manifest, which leaves out a whole that the name of the member
    /// names.
    pub fn complete(mut self, kind: &str, object: &str) -> Facts {
        if self.part_of.is_none() {
            self.part_of = match kind {
                "column" | "constraint" | "trigger" | "policy" | "rule" => {
                    Some(split(object).0.to_owned())
                }
                "dump configuration" | "grant to PUBLIC" => Some(object.to_owned()),
                _ => None,
            };
        }
        self
    }

    pub fn has(&self, name: &str) -> bool {
        self.values().contains_key(name)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.values().get(name)?.as_str()
    }

    /// A fact that holds or is absent.
    pub fn holds(&self, name: &str) -> bool {
        self.values().get(name).and_then(Value::as_bool) == Some(true)
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        self.values().get(name)?.as_i64()
    }

    pub fn list(&self, name: &str) -> Vec<&str> {
        let values = self.values().get(name).and_then(Value::as_array);
        values.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    pub fn is_part_of(&self, whole: &str) -> bool {
        self.part_of.as_deref() == Some(whole)
    }

    /// Whether two members have the same facts, but for some.
    pub fn equal_but_for(&self, other: &Facts, ignored: &[&str]) -> bool {
        let kept = |facts: &Facts| -> Map<String, Value> {
            let kept = facts.values().iter().filter(|(name, _)| !ignored.contains(&name.as_str()));
            kept.map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        self.part_of == other.part_of && kept(self) == kept(other)
    }

    /// These facts, with some of them as in `other`.
    pub fn with_those_of(&self, other: &Facts, names: &[&str]) -> Facts {
        let mut values = self.values().clone();
        for name in names {
            match other.values().get(*name) {
                Some(value) => values.insert((*name).to_owned(), value.clone()),
                None => values.remove(*name),
            };
        }
        self.with(values)
    }

    /// These facts, with other names in the facts that are names. Lists of `sorted` names are in the
    /// order that no locale changes.
    pub fn renamed(
        &self,
        names: &[&str],
        sorted: &[&str],
        new: impl Fn(&str) -> Option<String>,
    ) -> Facts {
        let mut values = self.values().clone();
        for name in names {
            match values.get_mut(*name) {
                Some(Value::String(text)) => {
                    if let Some(new) = new(text) {
                        *text = new;
                    }
                }
                Some(Value::Array(list)) => {
                    for value in list.iter_mut() {
                        if let Some(new) = value.as_str().and_then(&new) {
                            *value = Value::from(new);
                        }
                    }
                    if sorted.contains(name) {
                        list.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
                    }
                }
                _ => {}
            }
        }
        self.with(values)
    }
}

/// Facts as the server writes jsonb: shorter names first, then in the order of their bytes.
fn written(facts: &Map<String, Value>) -> String {
    let mut names: Vec<&String> = facts.keys().collect();
    names.sort_by_key(|name| (name.len(), name.as_bytes()));
    let of_list = |list: &Vec<Value>| {
        let values: Vec<_> = list.iter().map(Value::to_string).collect();
        format!("[{}]", values.join(", "))
    };
    let facts: Vec<_> = names
        .into_iter()
        .filter_map(|name| {
            let value = match facts.get(name)? {
                Value::Array(list) => of_list(list),
                value => value.to_string(),
            };
            Some(format!("{}: {value}", Value::from(name.as_str())))
        })
        .collect();
    format!("{{{}}}", facts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_named_by_its_last_name() {
        assert_eq!(split("s.t.c"), ("s.t", "c"));
        assert_eq!(split("s.t.\"a.\"\"b\""), ("s.t", "\"a.\"\"b\""));
        assert_eq!(split("s.\"T.1\".c"), ("s.\"T.1\"", "c"));
        assert_eq!(split("s"), ("", "s"));
    }

    #[test]
    fn a_name_implies_the_whole() {
        let facts = |part_of: Option<&str>| Facts::new(part_of.map(str::to_owned), Map::new());
        assert!(facts(Some("s.t")).complete("index", "s.i").is_part_of("s.t"));
        assert!(facts(None).complete("column", "s.t.c").is_part_of("s.t"));
        assert_eq!(facts(None).complete("function", "s.f()").part_of, None);
    }

    #[test]
    fn facts_are_written_as_the_server_writes_jsonb() {
        let text =
            r#"{"keys": ["a", "\"b\" DESC"], "start": 1, "where": "a = '\\'", "unique": true}"#;
        let values: Map<String, Value> = serde_json::from_str(text).expect("facts");
        assert_eq!(Facts::new(None, values), Facts::written(None, text.to_owned()));
    }

    #[test]
    fn a_wording_that_nobody_knows_is_not_compared() {
        let facts = |query: &str, columns: &str| {
            let values = [("query", Value::from(query)), ("columns", Value::from(columns))];
            Facts::new(
                None,
                values.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
            )
        };
        let due = facts("SELECT a", "a");
        assert!(due.is_met_by(&facts("SELECT a", "a")));
        assert!(!due.is_met_by(&facts("SELECT t.a", "a")));
        let later =
            due.clone().worded(Map::from_iter([("query".to_owned(), Value::from("SELECT b"))]));
        assert!(later.is_met_by(&facts("SELECT b", "a")));
        assert_eq!(later.in_oldest_words(), due);
        let due = due.not_compared_in(BTreeSet::from(["query".to_owned()]));
        assert!(due.is_met_by(&facts("SELECT t.a", "a")));
        assert!(!due.is_met_by(&facts("SELECT t.a", "b")));
    }
}
