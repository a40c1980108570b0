//! The scripts that made an object, and their texts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result};

use crate::chain::{Chain, Version};
use crate::generate::history::History;
use crate::machine::project::Project;

pub struct Scripts {
    history: History,
    /// Name and text of the script that leads to each version.
    by_version: BTreeMap<Version, (String, String)>,
}

impl Scripts {
    pub fn read(project: &Project) -> Result<Self> {
        let chain = Chain::read(&project.sql_folder())?;
        let mut by_version = BTreeMap::new();
        for script in std::iter::once(chain.base()).chain(chain.ups()) {
            let name = script.file_name();
            let text = fs::read_to_string(project.sql_folder().join(&name))
                .with_context(|| format!("cannot read {name}"))?;
            by_version.insert(script.target(), (name, text));
        }
        Ok(Self { history: History::read(project)?, by_version })
    }

    /// A comment with the names of the scripts that made any of these members, in their order.
    pub fn of(&self, members: &[(&str, String)]) -> String {
        let changed = members.iter().flat_map(|(kind, object)| self.history.versions(kind, object));
        let versions: BTreeSet<Version> =
            changed.filter_map(|version| version.parse().ok()).collect();
        let names: Vec<_> = versions
            .iter()
            .filter_map(|version| self.by_version.get(version))
            .map(|(name, _)| name.trim_start_matches("orchestrator_schema--"))
            .collect();
        format!("-- Made by {}\n", names.join(", "))
    }

    /// The statement that defines a view, copied from the last script that has one.
    pub fn view(&self, name: &str) -> Result<String> {
        let version = self.history.versions("view", name).last();
        let (script, text) = version
            .and_then(|version| self.by_version.get(&version.parse().ok()?))
            .with_context(|| format!("the manifest does not list view {name}"))?;
        created(text, name)
            .with_context(|| format!("{script} has no statement that creates view {name}"))
    }
}

/// The statement that creates a view: from its first line to the first one that ends it.
fn created(script: &str, name: &str) -> Option<String> {
    let begins = |line: &&str| {
        let view = line
            .strip_prefix("CREATE VIEW ")
            .or_else(|| line.strip_prefix("CREATE OR REPLACE VIEW "));
        view.and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '(']))
    };
    let lines: Vec<&str> = script.lines().skip_while(|line| !begins(line)).collect();
    let end = lines.iter().position(|line| line.trim_end().ends_with(';'))?;
    Some(lines[..=end].join("\n").replacen("CREATE OR REPLACE VIEW", "CREATE VIEW", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_read_up_to_the_end_of_its_statement() {
        let script = "CREATE VIEW s.a_b AS\nSELECT 1;\n\nCREATE OR REPLACE VIEW s.a AS\nSELECT 2 AS x,\n       3 AS y;\nSELECT 4;\n";
        assert_eq!(
            created(script, "s.a").as_deref(),
            Some("CREATE VIEW s.a AS\nSELECT 2 AS x,\n       3 AS y;")
        );
        assert_eq!(created(script, "s.c"), None);
    }
}
