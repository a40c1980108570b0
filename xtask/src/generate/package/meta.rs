//! `META.json`, by which PGXN knows the extension.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::chain::Chain;
use crate::generate::committed;
use crate::machine::pg_config::MAJORS;
use crate::machine::project::{EXTENSION, Project};

/// What the extension is, in a line.
pub const ABSTRACT: &str =
    "State of an AI-agent orchestrator inside PostgreSQL: reversible, verifiable";
/// Who packages it.
pub const MAINTAINER: &str = "The orchestrator_schema contributors";

/// Writes the file anew.
pub fn write(project: &Project) -> Result<PathBuf> {
    let path = path(project);
    fs::write(&path, generate(project)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Fails when the committed file is not what the project says.
pub fn check(project: &Project) -> Result<()> {
    committed::compare(&path(project), &generate(project)?, "cargo xtask package")
}

fn path(project: &Project) -> PathBuf {
    project.root().join("META.json")
}

fn generate(project: &Project) -> Result<String> {
    let base = Chain::read(&project.sql_folder())?.base().file_name();
    Ok(format!("{:#}\n", contents(project.version(), &base)))
}

fn contents(version: &str, base: &str) -> Value {
    let oldest = MAJORS.iter().min().copied().unwrap_or_default();
    json!({
        "name": EXTENSION,
        "abstract": ABSTRACT,
        "version": version,
        "maintainer": MAINTAINER,
        "license": "postgresql",
        "provides": {
            EXTENSION: {
                "abstract": ABSTRACT,
                "file": format!("sql/{base}"),
                "docfile": "docs/reference.md",
                "version": version,
            },
        },
        "prereqs": {
            "runtime": { "requires": { "PostgreSQL": format!("{oldest}.0.0") } },
        },
        "tags": ["agents", "orchestration", "tasks", "audit", "schema migration"],
        "generated_by": "cargo xtask package",
        "meta-spec": { "version": "1.0.0", "url": "https://pgxn.org/meta/spec.txt" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_pgxn_requires_is_there() {
        let meta = contents("1.2.3", "x--0.0.0.sql");
        for field in ["name", "abstract", "version", "maintainer", "license", "meta-spec"] {
            assert!(!meta[field].is_null(), "{field}");
        }
        assert_eq!(meta["provides"][EXTENSION]["version"], "1.2.3");
        assert_eq!(meta["provides"][EXTENSION]["file"], "sql/x--0.0.0.sql");
    }
}
