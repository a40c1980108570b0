//! Packages from npm, in the versions of a lock file.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::programs;
use crate::machine::files::copy;
use crate::machine::process;

/// Installs the packages of the lock file of `source` into `folder`, unless this was done for the same
/// lock file.
pub fn install(source: &Path, folder: &Path) -> Result<()> {
    const LOCK: &str = "package-lock.json";
    programs::node()?;
    let lock = fs::read(source.join(LOCK)).with_context(|| format!("cannot read {LOCK}"))?;
    let installed = folder.join("installed-lock.json");
    if fs::read(&installed).is_ok_and(|earlier| earlier == lock) {
        return Ok(());
    }
    println!("Installing node packages into {}", folder.display());
    for file in ["package.json", LOCK] {
        copy(&source.join(file), &folder.join(file))?;
    }
    let mut install = Command::new("npm");
    install.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder);
    process::run(&mut install)?;
    fs::write(&installed, lock).with_context(|| format!("cannot write {}", installed.display()))
}
