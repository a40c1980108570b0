//! Tests that need a whole server (`tests/*.rs`), each run against a private cluster of its own; and
//! `statements`, which only reads the sources.

use std::path::PathBuf;

use anyhow::Result;

use crate::checks::check::{Check, Run};
use crate::cluster::{Cluster, Settings};
use crate::machine::process;
use crate::machine::setup::packages;
use crate::machine::toolchain::Toolchain;

pub const VERSIONS: Check = Check {
    name: "versions",
    about: "every step up and down keeps schema and rows (tests/versions.rs)",
    run: Run::WithExtension(|toolchain| run(toolchain, "versions")),
};

pub const ENCODINGS: Check = Check {
    name: "encodings",
    about: "install, walk and errors in databases of five encodings (tests/encodings.rs)",
    run: Run::WithExtension(|toolchain| run(toolchain, "encodings")),
};

pub const REPAIR: Check = Check {
    name: "repair",
    about: "hints of verify() undo every rename and lose no value (tests/repair.rs)",
    run: Run::WithExtension(|toolchain| run(toolchain, "repair")),
};

pub const RESTORE: Check = Check {
    name: "restore",
    about: "dumps of every version restore into the newest without losing a row (tests/restore.rs)",
    run: Run::WithExtension(|toolchain| run(toolchain, "restore")),
};

pub const PLANS: Check = Check {
    name: "plans",
    about: "each index serves a query that would cost more without it (tests/plans.rs)",
    run: Run::WithExtension(|toolchain| run(toolchain, "plans")),
};

pub const RACES: Check = Check {
    name: "races",
    about: "many sessions at once: one wins where one may win (tests/races.rs)",
    run: Run::WithExtension(|toolchain| run(toolchain, "races")),
};

pub const WALKS: Check = Check {
    name: "walks",
    about: "updates beside clients and pg_dump: no deadlock, no lost row (tests/walks.rs)",
    run: Run::WithExtension(|toolchain| run(toolchain, "walks")),
};

pub const WALKS_AT_LENGTH: Check = Check {
    name: "walks-at-length",
    about: "twenty walks over the whole chain beside clients and pg_dump (tests/walks.rs)",
    run: Run::WithExtension(|toolchain| run_with(toolchain, "walks", &["--ignored"], &[])),
};

pub const PRIVILEGES: Check = Check {
    name: "privileges",
    about: "no role can do more than its level allows (tests/privileges.rs)",
    run: Run::WithExtension(|toolchain| run(toolchain, "privileges")),
};

pub const OPERATIONS: Check = Check {
    name: "operations",
    about: "notifications, maintenance with pg_cron, a standby (tests/operations.rs)",
    run: Run::WithExtension(|toolchain| {
        packages::pg_cron(&toolchain.pg)?;
        run(toolchain, "operations")
    }),
};

pub const HOSTILE: Check = Check {
    name: "hostile",
    about: "10,000 hostile inputs over all functions; state machines against a model (tests/hostile.rs)",
    run: Run::WithExtension(|toolchain| run(toolchain, "hostile")),
};

pub const FAULTS: Check = Check {
    name: "faults",
    about: "the server killed in the middle of bulk work, upgrades and downgrades (tests/faults.rs)",
    run: Run::WithExtension(|toolchain| run(toolchain, "faults")),
};

pub const STATEMENTS: Check = Check {
    name: "statements",
    about: "SQL without a pinned search_path qualifies every name (tests/statements.rs)",
    run: Run::OnSources(|project| {
        packages::for_bindings()?;
        process::run(project.cargo().args([
            "test",
            "--package",
            "server-tests",
            "--test",
            "statements",
        ]))
    }),
};

/// Starts a cluster and runs the test target against it.
fn run(toolchain: &Toolchain, test: &str) -> Result<()> {
    run_in(toolchain, test, &[])
}

/// The same, with paths in variables of the environment.
pub fn run_in(toolchain: &Toolchain, test: &str, environment: &[(&str, PathBuf)]) -> Result<()> {
    run_with(toolchain, test, &[], environment)
}

/// The same, with arguments for the program of the tests.
fn run_with(
    toolchain: &Toolchain,
    test: &str,
    arguments: &[&str],
    environment: &[(&str, PathBuf)],
) -> Result<()> {
    let cluster = Cluster::start(&toolchain.pg, &Settings::default())?;
    let mut command = toolchain.cargo();
    command.args(["test", "--package", "server-tests", "--test", test, "--"]).args(arguments);
    command.envs(environment.iter().map(|(name, path)| (name, path)));
    process::run(cluster.export(&mut command))
}
