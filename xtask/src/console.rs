//! The console: how it is built, and started on a database.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::address::Address;
use crate::machine::process;
use crate::machine::program::Program;
use crate::machine::toolchain::Toolchain;

/// The package and the program.
pub const NAME: &str = "orchestrator-console";

/// The optimisation of the program.
#[derive(Clone, Copy, Debug)]
pub enum Build {
    /// As it is packaged.
    Release,
    Debug,
}

/// Builds the console. Returns the program.
pub fn build(toolchain: &Toolchain, build: Build) -> Result<PathBuf> {
    let (profile, folder) = match build {
        Build::Release => ("release", "release"),
        Build::Debug => ("dev", "debug"),
    };
    let mut cargo = toolchain.cargo();
    process::run(cargo.args(["build", "--quiet", "--package", NAME, "--profile", profile]))?;
    Ok(toolchain.project.target().join(folder).join(NAME))
}

/// Starts the console on a database, at a free port of 127.0.0.1.
pub fn start(
    program: impl AsRef<OsStr>,
    server: &Address,
    database: &str,
    options: &[&str],
) -> Result<Program> {
    let mut command = Command::new(program);
    process::without_postgres_settings(&mut command)
        .args(["--listen", "127.0.0.1:0", "--database", &server.connection_string(database)])
        .args(options);
    Program::start(&mut command, "http://127.0.0.1:", "/")
}
