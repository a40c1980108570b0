//! Every check of the project. A check is one small module and one row in `CHECKS`;
//! `run_all` runs each in a process of its own, so that its whole output goes to its log.

mod backend;
mod clean_machine;
mod clippy;
mod docs;
pub mod documents;
mod fmt;
mod frozen;
mod links;
mod majors;
mod manifest;
mod package;
mod pgspot;
pub mod regress;
mod runner;
mod scripts;
mod server_tests;
mod signatures;
mod symbols;
mod types;
mod unit;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::install::{self, Build};
use crate::machine::project::Project;
use crate::machine::setup::{self, Toolchain};

pub use runner::run_all;

/// One check, as the list and the command line show it.
pub struct Check {
    pub name: &'static str,
    pub about: &'static str,
    pub run: Run,
}

impl Check {
    fn needs_extension(&self) -> bool {
        matches!(self.run, Run::WithExtension(_))
    }
}

/// What a check needs before it can run.
pub enum Run {
    /// Only the checkout.
    OnSources(fn(&Project) -> Result<()>),
    /// PostgreSQL, its headers and cargo-pgrx.
    WithTools(fn(&Toolchain) -> Result<()>),
    /// All that, and the extension of the present sources installed, which stays as it is:
    /// such checks may run side by side.
    WithExtension(fn(&Toolchain) -> Result<()>),
}

/// All checks: cheap ones first; among those that run side by side, long ones first.
const CHECKS: &[Check] = &[
    fmt::CHECK,
    frozen::CHECK,
    links::CHECK,
    scripts::CHECK,
    unit::CHECK,
    server_tests::STATEMENTS,
    pgspot::CHECK,
    clippy::CHECK,
    INSTALL,
    server_tests::VERSIONS,
    server_tests::ENCODINGS,
    server_tests::REPAIR,
    server_tests::RESTORE,
    server_tests::HOSTILE,
    server_tests::OPERATIONS,
    server_tests::RACES,
    server_tests::WALKS,
    server_tests::PRIVILEGES,
    regress::CHECK,
    documents::CHECK,
    types::CHECK,
    package::CHECK,
    server_tests::PLANS,
    docs::CHECK,
    manifest::CHECK,
    symbols::CHECK,
    // Leaves a debug build with test functions installed, and puts the release build back.
    backend::CHECK,
    // After backend, whose build of the dependencies it shares.
    signatures::CHECK,
];

/// Checks that take the network or many minutes: run only when they are named.
const ON_REQUEST: &[Check] =
    &[server_tests::FAULTS, server_tests::WALKS_AT_LENGTH, clean_machine::CHECK, majors::CHECK];

const INSTALL: Check = Check {
    name: "install",
    about: "the release build succeeds and can be installed",
    run: Run::WithTools(|toolchain| install::ready(toolchain, Build::Release)),
};

/// What checks work on; the tools are made ready when the first check asks for them.
pub struct Workbench {
    project: Project,
    pg_config: Option<PathBuf>,
    toolchain: OnceCell<Toolchain>,
}

impl Workbench {
    pub fn new(project: Project, pg_config: Option<PathBuf>) -> Self {
        Self { project, pg_config, toolchain: OnceCell::new() }
    }

    fn toolchain(&self) -> Result<&Toolchain> {
        if self.toolchain.get().is_none() {
            let toolchain = setup::ready(&self.project, self.pg_config.as_deref())?;
            setup::for_tests()?;
            return Ok(self.toolchain.get_or_init(|| toolchain));
        }
        self.toolchain.get().context("the toolchain was not kept")
    }

    fn pg_config(&self) -> Option<&Path> {
        self.pg_config.as_deref()
    }

    fn run(&self, check: &Check) -> Result<()> {
        match check.run {
            Run::OnSources(run) => run(&self.project),
            Run::WithTools(run) => run(self.toolchain()?),
            Run::WithExtension(run) => {
                let toolchain = self.toolchain()?;
                install::ready(toolchain, Build::Release)?;
                run(toolchain)
            }
        }
    }
}

fn all() -> impl Iterator<Item = &'static Check> {
    CHECKS.iter().chain(ON_REQUEST)
}

/// The names of all checks.
pub fn names() -> Vec<&'static str> {
    all().map(|check| check.name).collect()
}

/// One line for each check.
pub fn overview() -> String {
    let width = all().map(|check| check.name.len()).max().unwrap_or(0);
    let lines = |checks: &[Check]| -> String {
        let line = |check: &Check| format!("\n  {:width$}  {}", check.name, check.about);
        checks.iter().map(line).collect()
    };
    format!("Checks:{}\n\nOnly when named:{}", lines(CHECKS), lines(ON_REQUEST))
}

/// Runs the named checks in this process; the first failure ends it.
pub fn run_named(workbench: &Workbench, names: &[String]) -> Result<()> {
    for check in all().filter(|check| names.iter().any(|name| name == check.name)) {
        workbench.run(check).with_context(|| format!("check {} failed", check.name))?;
    }
    Ok(())
}
