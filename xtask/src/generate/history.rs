//! The versions that created or changed each object, from the manifest.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::machine::project::Project;

/// The versions that created and changed each object, by kind and name.
pub struct History {
    objects: BTreeMap<(String, String), Vec<String>>,
}

impl History {
    pub fn read(project: &Project) -> Result<Self> {
        let path = project.sql_folder().join("manifest.json");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let manifest: Value = serde_json::from_str(&text)
            .with_context(|| format!("{} is no JSON", path.display()))?;
        Ok(Self::of(&manifest))
    }

    fn of(manifest: &Value) -> Self {
        let mut objects: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for delta in manifest["versions"].as_array().into_iter().flatten() {
            let version = delta["version"].as_str().unwrap_or_default();
            for (kind, members) in delta["changes"].as_object().into_iter().flatten() {
                for (object, definition) in members.as_object().into_iter().flatten() {
                    let versions = objects.entry((kind.clone(), object.clone())).or_default();
                    if definition.is_null() {
                        versions.clear();
                    } else {
                        versions.push(version.to_owned());
                    }
                }
            }
        }
        Self { objects }
    }

    /// The version that created an object; empty if the manifest does not list the object.
    pub fn since(&self, kind: &str, object: &str) -> &str {
        self.versions(kind, object).first().map_or("", String::as_str)
    }

    /// "Since 0.1.0, changed in 0.2.0."
    pub fn sentence(&self, kind: &str, object: &str) -> String {
        match self.versions(kind, object) {
            [] => String::new(),
            [since] => format!("Since {since}."),
            [since, changed @ ..] => format!("Since {since}, changed in {}.", changed.join(", ")),
        }
    }

    /// The versions that created and changed an object, oldest first.
    pub fn versions(&self, kind: &str, object: &str) -> &[String] {
        let key = (kind.to_owned(), object.to_owned());
        self.objects.get(&key).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_from_the_last_time_an_object_came_in() {
        let manifest = serde_json::json!({"majors": [15], "versions": [
            {"version": "0.0.0", "changes": {"view": {"s.a": "1", "s.b": "1"}}},
            {"version": "0.1.0", "changes": {"view": {"s.a": "2", "s.b": null}}},
            {"version": "0.2.0", "changes": {"view": {"s.b": "3"}}},
        ]});
        let history = History::of(&manifest);
        assert_eq!(history.sentence("view", "s.a"), "Since 0.0.0, changed in 0.1.0.");
        assert_eq!(history.sentence("view", "s.b"), "Since 0.2.0.");
        assert_eq!(history.since("table", "s.a"), "");
    }
}
