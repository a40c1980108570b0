//! Every check of the project. A check is one small module and one row in `CHECKS`;
//! `run_all` runs each in a process of its own, so that its whole output goes to its log.

mod backend;
pub mod cases;
mod check;
mod clean_machine;
mod client_packages;
mod clippy;
mod console;
mod docs;
pub mod documents;
mod fmt;
mod frozen;
mod install;
mod links;
mod litellm;
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
mod workbench;
mod working_loop;

use anyhow::{Context, Result};

use self::check::Check;

pub use self::workbench::Workbench;

/// All checks: those of the sources first; among those that run side by side, long ones first.
const CHECKS: &[Check] = &[
    unit::CHECK,
    server_tests::STATEMENTS,
    pgspot::CHECK,
    scripts::CHECK,
    fmt::CHECK,
    links::CHECK,
    frozen::CHECK,
    clippy::CHECK,
    install::CHECK,
    server_tests::VERSIONS,
    server_tests::ENCODINGS,
    server_tests::REPAIR,
    server_tests::RESTORE,
    majors::PG_UPGRADE,
    server_tests::HOSTILE,
    server_tests::OPERATIONS,
    server_tests::RACES,
    working_loop::CHECK,
    console::CHECK,
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
    // Builds the dependencies that `backend` uses, too.
    signatures::CHECK,
    // Installs a debug build with test functions, then the release build again.
    backend::CHECK,
];

/// Checks that need the network or many minutes: they run only when they are named.
const ON_REQUEST: &[Check] = &[
    server_tests::FAULTS,
    server_tests::WALKS_AT_LENGTH,
    clean_machine::CHECK,
    majors::CHECK,
    litellm::CHECK,
];

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

/// Sets up, runs every check, shows the first failure, and returns whether all passed. `few_cases`: of the checks that have
/// many cases, run few.
pub fn run_all(workbench: &Workbench, few_cases: bool) -> Result<bool> {
    runner::run(workbench, CHECKS, few_cases)
}

/// Runs the named checks in this process; the first failure ends it.
pub fn run_named(workbench: &Workbench, names: &[String]) -> Result<()> {
    for check in all().filter(|check| names.iter().any(|name| name == check.name)) {
        workbench.run(check).with_context(|| format!("check {} failed", check.name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_that_may_run_side_by_side_stand_together() {
        let groups: Vec<&[Check]> = CHECKS.chunk_by(Check::runs_beside).collect();
        let several = groups.iter().filter(|group| group.len() > 1).count();
        assert_eq!(several, 2, "those of the sources, and those of the installed extension");
        let mut alone = groups.iter().filter(|group| group.len() == 1).flat_map(|group| *group);
        let apart = alone.find(|check| check.runs_beside(check)).map(|check| check.name);
        assert_eq!(apart, None, "a check that may run beside others stands alone");
    }
}
