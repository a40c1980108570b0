//! Everything that must be on the machine before the extension can be built and tried:
//! each step looks first, and says in one line what it does and why.

mod packages;
mod pgrx;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::machine::pg_config::{MAJORS, PgConfig, debian_path};
use crate::machine::process;
use crate::machine::project::Project;

pub use packages::{for_tests, require as require_package};

/// What `setup` found or made: the checkout, and one PostgreSQL to build for.
#[derive(Clone, Debug)]
pub struct Toolchain {
    pub project: Project,
    pub pg: PgConfig,
}

impl Toolchain {
    /// `cargo pgrx ...` in the checkout, for the PostgreSQL in use; the pinned version is installed
    /// when there is none. Only what pgrx itself derives or runs needs it.
    pub fn cargo_pgrx(&self, subcommand: &str) -> Result<Command> {
        let program = pgrx::ready(&self.project, &self.pg)?;
        let mut command = Command::new(&program);
        command.args(["pgrx", subcommand]).current_dir(self.project.root());
        command.env("CARGO_TARGET_DIR", self.project.target()).env("CARGO_PGRX", &program);
        self.name_postgresql(&mut command);
        Ok(command)
    }

    /// `cargo ...` in the checkout, with what pgrx's build scripts need.
    pub fn cargo(&self) -> Command {
        let mut command = self.project.cargo();
        self.name_postgresql(&mut command);
        command
    }

    /// The cargo options that choose the extension's features for the PostgreSQL in use.
    pub fn feature_options(&self) -> [String; 3] {
        ["--no-default-features".into(), "--features".into(), self.pg.feature()]
    }

    /// pgrx's build scripts read this before any configuration of the user's, which thus may name
    /// another PostgreSQL, or not exist.
    fn name_postgresql(&self, command: &mut Command) {
        command.env("PGRX_PG_CONFIG_PATH", &self.pg.path);
    }
}

/// Makes the machine ready to build and to run; silent when it is.
pub fn ready(project: &Project, requested: Option<&Path>) -> Result<Toolchain> {
    Ok(Toolchain { project: project.clone(), pg: packages::postgresql(requested)? })
}

/// Installs pg_cron where the distribution has it for this PostgreSQL; elsewhere does nothing.
pub fn pg_cron(pg: &PgConfig) -> Result<()> {
    packages::pg_cron(pg)
}

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
    packages::node()
}

/// The `pg_config` to use: the one asked for, Debian's newest-preferred, else the one on PATH.
fn choose(requested: Option<&Path>) -> Option<PathBuf> {
    if let Some(path) = requested {
        return Some(path.to_owned());
    }
    MAJORS
        .map(debian_path)
        .into_iter()
        .find(|path| path.is_file())
        .or_else(|| process::find_program("pg_config"))
}

/// Announces a step: what is done, and why.
fn announce(what: &str, why: &str) {
    println!("setup: {what} ({why})");
}
