//! Languages of other programs that checks run: Python and Node.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::apt::Apt;
use crate::machine::process;

/// The Python that can make virtual environments, for the tools that come from PyPI.
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

/// Makes sure of node and npm, for the packages that come from npm.
pub fn node() -> Result<()> {
    if process::find_program("node").is_some() && process::find_program("npm").is_some() {
        return Ok(());
    }
    let Some(apt) = Apt::find() else { bail!("there is no node and npm on PATH; install them") };
    let why = "compiles and runs the program that uses the types";
    apt.install(&apt.missing(&[("nodejs", why), ("npm", why)])?)
}
