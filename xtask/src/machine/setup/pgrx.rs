//! The pinned cargo-pgrx and its configuration. A cargo-pgrx of another version, and a configuration
//! for another PostgreSQL, are left unchanged.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use regex::Regex;

use super::apt::announce;
use super::packages;
use crate::machine::pg_config::PgConfig;
use crate::machine::process;
use crate::machine::project::{Project, cargo};

/// The pinned version, the same as in the extension's `Cargo.toml`.
const VERSION: &str = "0.18.1";

/// The cargo-pgrx of the pinned version, with a configuration. Prints nothing if both are there.
pub fn ready(project: &Project, pg: &PgConfig) -> Result<PathBuf> {
    let program = installed(project)?;
    // A PostgreSQL below target/ may be removed at any time, so the user's configuration must not
    // name it.
    let lasts = !pg.path.starts_with(project.unpacked_postgres());
    configure(&program, lasts.then_some(pg))?;
    Ok(program)
}

/// The cargo-pgrx of the pinned version, installed if it is missing.
fn installed(project: &Project) -> Result<PathBuf> {
    let users = process::find_program("cargo-pgrx");
    if let Some(program) = &users
        && is_pinned(program)
    {
        return Ok(program.clone());
    }
    let tools = project.target().join("tools");
    let private = tools.join("bin/cargo-pgrx");
    if is_pinned(&private) {
        return Ok(private);
    }
    packages::for_cargo_pgrx()?;
    let mut install = cargo();
    // It only starts other programs, and its optimised build takes minutes.
    install.args(["install", "cargo-pgrx", "--debug", "--locked", "--version"]);
    install.arg(format!("={VERSION}"));
    if users.is_some() {
        announce(
            &format!("installing cargo-pgrx {VERSION} into {}", tools.display()),
            "the one on PATH has another version, and stays unchanged",
        );
        install.arg("--root").arg(&tools);
        process::run(&mut install)?;
        return Ok(private);
    }
    announce(
        &format!("installing cargo-pgrx {VERSION}"),
        "checks compare with what it derives, and run its tests",
    );
    process::run(&mut install)?;
    process::find_program("cargo-pgrx")
        .or_else(|| Some(cargo_home()?.join("bin/cargo-pgrx")))
        .context("cargo-pgrx was installed, but is not on PATH")
}

/// Registers the PostgreSQL in cargo-pgrx's configuration, unless that names one for the same major
/// version. cargo-pgrx needs a configuration even if its arguments name a PostgreSQL.
fn configure(cargo_pgrx: &Path, pg: Option<&PgConfig>) -> Result<()> {
    let home = env::var_os("PGRX_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".pgrx")))
        .context("neither PGRX_HOME nor HOME is set")?;
    let file = home.join("config.toml");
    let text = fs::read_to_string(&file).ok();
    let Some(pg) = pg else {
        if text.is_none() {
            fs::create_dir_all(&home)
                .with_context(|| format!("cannot create {}", home.display()))?;
            fs::write(&file, "[configs]\n")
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        return Ok(());
    };
    let entry = Regex::new(&format!(r"(?m)^\s*{}\s*=", pg.feature()))?;
    if text.is_some_and(|text| entry.is_match(&text)) {
        return Ok(());
    }
    announce(
        &format!("registering {} with pgrx", pg.path.display()),
        &format!("{} has no PostgreSQL for {}", home.display(), pg.feature()),
    );
    fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
    let mut init = Command::new(cargo_pgrx);
    init.args(["pgrx", "init", "--no-run"]).arg(format!("--{}", pg.feature())).arg(&pg.path);
    process::run(&mut init)
}

fn is_pinned(program: &Path) -> bool {
    let mut command = Command::new(program);
    command.args(["pgrx", "--version"]);
    process::output(&mut command)
        .is_ok_and(|answer| answer.split_whitespace().last() == Some(VERSION))
}

fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")))
}
