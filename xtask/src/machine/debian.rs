//! The release of Debian that this program runs on, and the mirror that apt uses.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};

use crate::machine::process;

/// The release's code name, such as bookworm.
pub fn codename() -> Result<String> {
    let file = "/etc/os-release";
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    text.lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .map(|name| name.trim_matches('"').to_owned())
        .with_context(|| format!("{file} does not name a release"))
}

/// The mirror from which apt downloads the packages of this release.
pub fn mirror() -> Result<String> {
    let release = codename()?;
    archive(&release)?.with_context(|| format!("apt knows no mirror of {release}"))
}

/// The mirror from which apt downloads the security updates of this release.
pub fn security_mirror() -> Result<Option<String>> {
    archive(&format!("{}-security", codename()?))
}

fn archive(suite: &str) -> Result<Option<String>> {
    let mut targets = Command::new("apt-get");
    targets.args(["indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"]);
    let answer = process::output(&mut targets)?;
    Ok(answer
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(name, _)| *name == suite)
        .map(|(_, url)| url.to_owned()))
}
