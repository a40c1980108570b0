//! Debian's package manager.

use std::fs::File;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::machine::pg_config::MAJORS;
use crate::machine::process;

/// The folder of Debian's package manager.
const PACKAGE_STATE: &str = "/var/lib/dpkg";

/// Debian's package tools.
pub struct Apt;

impl Apt {
    pub fn find() -> Option<Self> {
        process::find_program("apt-get")?;
        process::find_program("dpkg-query")?;
        Some(Self)
    }

    /// The wanted packages that are not installed.
    pub fn missing(&self, wanted: &[(&str, &str)]) -> Result<Vec<(String, String)>> {
        let mut query = Command::new("dpkg-query");
        query
            .args(["--show", "--showformat=${Package} ${db:Status-Status}\n"])
            .args(wanted.iter().map(|(package, _)| package));
        // dpkg-query fails if a package is unknown, but still lists the others.
        let output = query.output().context("cannot start dpkg-query")?;
        let known = String::from_utf8_lossy(&output.stdout);
        Ok(wanted
            .iter()
            .filter(|(package, _)| {
                !known.lines().any(|line| line == format!("{package} installed"))
            })
            .map(|(package, why)| ((*package).to_owned(), (*why).to_owned()))
            .collect())
    }

    /// The first of the supported major versions that the distribution offers.
    pub fn newest_preferred(&self) -> Result<u32> {
        for refresh in [false, true] {
            if refresh {
                self.update("no PostgreSQL package is known yet")?;
            }
            for major in MAJORS {
                let mut show = Command::new("apt-cache");
                show.args(["show", "--quiet", &format!("postgresql-server-dev-{major}")]);
                if process::succeeds(&mut show) {
                    return Ok(major);
                }
            }
        }
        bail!("the distribution offers none of PostgreSQL {MAJORS:?}; name one with --pg-config")
    }

    /// Installs the packages, or updates them to the newest release, all in one call of apt.
    pub fn install(&self, packages: &[(String, String)]) -> Result<()> {
        if packages.is_empty() {
            return Ok(());
        }
        // Checks run side by side, and apt fails while another apt is running.
        let _alone = Self::alone()?;
        let reasons: Vec<String> =
            packages.iter().map(|(package, why)| format!("{package}: {why}")).collect();
        self.update("packages are missing or out of step")?;
        announce("installing system packages", &reasons.join("; "));
        let mut install = self.get();
        install
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages.iter().map(|(package, _)| package));
        process::run(&mut install)
    }

    /// Waits until no other process of this program installs packages. Dropping the file releases the
    /// lock.
    fn alone() -> Result<File> {
        let folder =
            File::open(PACKAGE_STATE).with_context(|| format!("cannot open {PACKAGE_STATE}"))?;
        folder.lock().with_context(|| format!("cannot lock {PACKAGE_STATE}"))?;
        Ok(folder)
    }

    fn update(&self, why: &str) -> Result<()> {
        announce("refreshing the package lists", why);
        process::run(self.get().args(["update", "--quiet"]))
    }

    fn get(&self) -> Command {
        let mut command = process::as_root("env");
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        command
    }
}

/// Prints a step and its reason.
pub fn announce(what: &str, why: &str) {
    println!("setup: {what} ({why})");
}
