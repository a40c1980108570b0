//! Python and Node, for the tools that checks run.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::apt::Apt;
use crate::machine::process;

/// A Python that can make virtual environments, for the tools that come from PyPI.
pub fn python() -> Result<PathBuf> {
    for name in ["python3", "/usr/bin/python3"] {
        let mut probe = Command::new(name);
        probe.args(["-c", "import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 10))"]);
        if process::succeeds(&mut probe) {
            return Ok(name.into());
        }
    }
    bail!("no Python 3.10 or newer with the venv module is installed (Debian: python3-venv)")
}

/// Installs node and npm, if they are missing, for the packages that come from npm.
pub fn node() -> Result<()> {
    if process::find_program("node").is_some() && process::find_program("npm").is_some() {
        return Ok(());
    }
    let Some(apt) = Apt::find() else { bail!("node and npm are not on PATH: install them") };
    let why = "compiles and runs the program that uses the types";
    apt.install(&apt.missing(&[("nodejs", why), ("npm", why)])?)
}
