//! The pinned cargo-pgrx and its configuration.
//! What the user has of another version or for another PostgreSQL is left alone.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use regex::Regex;

use super::announce;
use crate::pg_config::PgConfig;
use crate::process;
use crate::project::{Project, cargo};

/// The version that the extension's `Cargo.toml` pins too.
const VERSION: &str = "0.18.1";

/// The cargo-pgrx of the pinned version, installed when there is none.
pub fn cargo_pgrx(project: &Project) -> Result<PathBuf> {
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
    let mut install = cargo();
    install.args(["install", "cargo-pgrx", "--locked", "--version"]);
    install.arg(format!("={VERSION}"));
    if users.is_some() {
        announce(
            &format!("installing cargo-pgrx {VERSION} into {}", tools.display()),
            "the one on PATH is of another version and stays",
        );
        install.arg("--root").arg(&tools);
        process::run(&mut install)?;
        return Ok(private);
    }
    announce(&format!("installing cargo-pgrx {VERSION}"), "builds the extension");
    process::run(&mut install)?;
    process::find_program("cargo-pgrx")
        .or_else(|| Some(cargo_home()?.join("bin/cargo-pgrx")))
        .context("cargo-pgrx was installed, but is not on PATH")
}

/// Makes pgrx build for this `pg_config`: registers it when the configuration names none for its major version.
/// Where the configuration names another one, returns true: the environment must say which to use.
pub fn must_be_told(cargo_pgrx: &Path, pg: &PgConfig) -> Result<bool> {
    let home = env::var_os("PGRX_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(env::home_dir()?.join(".pgrx")))
        .context("neither PGRX_HOME nor HOME is set")?;
    match configured(&home, pg)? {
        Configured::Same => Ok(false),
        Configured::Other => Ok(true),
        Configured::Missing => {
            announce(
                &format!("registering {} with pgrx", pg.path.display()),
                &format!("{} names none for {}", home.display(), pg.feature()),
            );
            fs::create_dir_all(&home)
                .with_context(|| format!("cannot create {}", home.display()))?;
            let mut init = Command::new(cargo_pgrx);
            init.args(["pgrx", "init", "--no-run"])
                .arg(format!("--{}", pg.feature()))
                .arg(&pg.path);
            process::run(&mut init)?;
            Ok(false)
        }
    }
}

/// What a pgrx configuration says about a major version.
enum Configured {
    Same,
    Missing,
    Other,
}

fn configured(home: &Path, pg: &PgConfig) -> Result<Configured> {
    let Ok(text) = fs::read_to_string(home.join("config.toml")) else {
        return Ok(Configured::Missing);
    };
    let entry = Regex::new(&format!(r#"(?m)^\s*{}\s*=\s*["'](.*)["']"#, pg.feature()))?;
    let Some(path) = entry.captures(&text).map(|found| found[1].to_owned()) else {
        return Ok(Configured::Missing);
    };
    let resolved = |path: &Path| fs::canonicalize(path).ok();
    let is_same = resolved(Path::new(&path)).is_some_and(|named| Some(named) == resolved(&pg.path));
    Ok(if is_same { Configured::Same } else { Configured::Other })
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
