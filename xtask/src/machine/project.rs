//! Paths of the checkout, its build directory and its parts. cargo reports them, so that paths with
//! spaces and CARGO_TARGET_DIR work.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use crate::machine::process;

/// The extension's name; also that of its crate, control file, library and scripts.
pub const EXTENSION: &str = "orchestrator_schema";

/// The checkout this binary was built from.
#[derive(Clone, Debug)]
pub struct Project {
    root: PathBuf,
    target: PathBuf,
    version: String,
}

impl Project {
    /// Finds the workspace that contains this crate, with `cargo metadata`.
    pub fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask has no parent folder")?
            .to_owned();
        let mut command = cargo();
        command
            .args(["metadata", "--no-deps", "--format-version", "1", "--quiet"])
            .arg("--manifest-path")
            .arg(root.join("Cargo.toml"));
        let metadata: Value = serde_json::from_str(&process::output(&mut command)?)
            .context("cargo metadata did not print JSON")?;
        let target = metadata["target_directory"]
            .as_str()
            .context("cargo metadata does not name a target directory")?;
        let version = metadata["packages"]
            .as_array()
            .and_then(|packages| packages.iter().find(|package| package["name"] == EXTENSION))
            .and_then(|package| package["version"].as_str())
            .ok_or_else(|| anyhow!("the workspace has no package {EXTENSION}"))?;
        Ok(Self::at(root, PathBuf::from(target), version.to_owned()))
    }

    /// A checkout of which these are known.
    pub fn at(root: PathBuf, target: PathBuf, version: String) -> Self {
        Self { root, target, version }
    }

    /// The folder that holds the workspace's `Cargo.toml`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's build directory.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The version of the extension's crate.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The folder of the version scripts.
    pub fn sql_folder(&self) -> PathBuf {
        self.root.join("sql")
    }

    /// The folder in which other PostgreSQL majors are unpacked.
    pub fn unpacked_postgres(&self) -> PathBuf {
        self.target.join("postgres")
    }

    /// The folder of xtask's logs, results and scratch copies.
    pub fn scratch(&self) -> PathBuf {
        self.target.join("xtask")
    }

    /// `cargo` in the checkout, building into this project's target directory.
    pub fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        command
    }
}

/// The cargo that runs this program, or the one on PATH.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
