//! Moves data from one PostgreSQL major to newer ones, by dump and by pg_upgrade
//! (`tests/majors.rs`). The newer majors are unpacked, and the extension is installed into each.

use std::env;
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::address::PG_CONFIGS_VARIABLE;
use crate::checks::check::{Check, Run};
use crate::install::{self, Build};
use crate::machine::pg_config::TESTED;
use crate::machine::postgres;
use crate::machine::process;
use crate::machine::setup;
use crate::machine::toolchain::Toolchain;

pub const CHECK: Check = Check {
    name: "majors",
    about: "dumps and pg_upgrade carry every row to newer PostgreSQL majors (tests/majors.rs; network)",
    run: Run::WithExtension(run),
};

/// pg_upgrade writes each definition as text and reads it again, so it finds one that is not the same afterwards.
pub const PG_UPGRADE: Check = Check {
    name: "pg_upgrade",
    about: "pg_upgrade into a new cluster of the same major keeps every definition and row (tests/majors.rs)",
    run: Run::WithExtension(|toolchain| {
        let own = &toolchain.pg.path;
        test(toolchain, &[own.clone(), own.clone()], &["pg_upgrade"])
    }),
};

fn run(toolchain: &Toolchain) -> Result<()> {
    let own = &toolchain.pg;
    let mut installations: Vec<PathBuf> = vec![own.path.clone()];
    for major in TESTED.into_iter().filter(|major| *major > own.release.major) {
        let unpacked = postgres::unpack(&toolchain.project, major)?;
        let newer = setup::ready(&toolchain.project, Some(&unpacked.path))?;
        install::ready(&newer, Build::Release)?;
        installations.push(newer.pg.path);
    }
    if installations.len() < 2 {
        bail!(
            "PostgreSQL {} is the newest that is tested: choose an older one with --pg-config",
            own.release.major
        );
    }
    test(toolchain, &installations, &[])
}

/// `installations`: oldest first; `filters`: parts of the names of tests, none for all.
fn test(toolchain: &Toolchain, installations: &[PathBuf], filters: &[&str]) -> Result<()> {
    let mut command = toolchain.cargo();
    command.args(["test", "--package", "server-tests", "--test", "majors", "--"]).args(filters);
    process::without_postgres_settings(&mut command)
        .env(PG_CONFIGS_VARIABLE, env::join_paths(installations)?);
    process::run(&mut command)
}
