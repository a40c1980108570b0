//! System packages: PostgreSQL with headers, clang for the bindings, and the tools of checks.
//! With apt they are installed; on a system without apt they are only checked.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;

use super::apt::Apt;
use super::programs::python;
use crate::machine::pg_config::{MAJORS, PgConfig, debian_path};
use crate::machine::process;

/// Packages that every PostgreSQL version needs, with the reason.
const ALWAYS: [(&str, &str); 4] = [
    ("build-essential", "linker and C compiler"),
    ("clang", "reads PostgreSQL's headers"),
    ("libclang-dev", "reads PostgreSQL's headers"),
    ("pkg-config", "finds libraries"),
];

/// Installs missing packages and returns the PostgreSQL to use.
pub fn postgresql(requested: Option<&Path>) -> Result<PgConfig> {
    let Some(apt) = Apt::find() else {
        return without_apt(requested);
    };
    let mut missing = apt.missing(&ALWAYS)?;

    let present = choose(requested);
    let major = match &present {
        Some(path) if path.is_file() => {
            let major = PgConfig::read(path)?.release.major;
            // An installation that is not Debian's is used as it is.
            (debian_path(major) == *path).then_some(major)
        }
        Some(path) => match MAJORS.into_iter().find(|major| debian_path(*major) == *path) {
            Some(major) => Some(major),
            None => bail!("{} does not exist", path.display()),
        },
        None => Some(apt.newest_preferred()?),
    };
    if let Some(major) = major {
        missing.extend(apt.missing(&[
            (&format!("postgresql-{major}"), "server"),
            (&format!("postgresql-server-dev-{major}"), "headers"),
        ])?);
    }
    apt.install(&missing)?;

    let path = present.or(major.map(debian_path)).context("no pg_config was found")?;
    let pg = PgConfig::read(&path)?;
    if let Some(major) = major
        && pg.server_release() != pg.header_release()
    {
        apt.install(&[
            (format!("postgresql-{major}"), "server and headers differ".to_owned()),
            (format!("postgresql-server-dev-{major}"), "server and headers differ".to_owned()),
        ])?;
    }
    require_complete(&pg)?;
    Ok(pg)
}

/// Installs the packages that crates with bindings to C need to build.
pub fn for_bindings() -> Result<()> {
    let Some(apt) = Apt::find() else { return Ok(()) };
    apt.install(&apt.missing(&ALWAYS)?)
}

/// Installs the packages that only checks need.
pub fn for_tests() -> Result<()> {
    let Some(apt) = Apt::find() else { return Ok(()) };
    let mut missing = Vec::new();
    if geteuid().is_root() {
        missing.extend(apt.missing(&[("sudo", "runs the tests' server as another user")])?);
    }
    if python().is_err() {
        missing.push(("python3-venv".to_owned(), "holds pgspot".to_owned()));
    }
    apt.install(&missing)
}

/// Installs the packages that building cargo-pgrx needs.
pub fn for_cargo_pgrx() -> Result<()> {
    let Some(apt) = Apt::find() else { return Ok(()) };
    apt.install(&apt.missing(&[("libssl-dev", "cargo-pgrx links to it")])?)
}

/// Installs a program, if it is missing, from the package of its name.
pub fn require(program: &str, why: &str) -> Result<()> {
    if process::find_program(program).is_some() {
        return Ok(());
    }
    match Apt::find() {
        Some(apt) => apt.install(&[(program.to_owned(), why.to_owned())]),
        None => bail!("{program} is missing; it {why}"),
    }
}

/// Installs the browser that tests of the console drive.
pub fn chromium() -> Result<()> {
    let Some(apt) = Apt::find() else {
        return match ["chromium", "chromedriver"]
            .into_iter()
            .find(|program| process::find_program(program).is_none())
        {
            Some(program) => bail!("{program} is missing; tests of the console drive a browser"),
            None => Ok(()),
        };
    };
    apt.install(&apt.missing(&[
        ("chromium", "shows the console to its tests"),
        ("chromium-driver", "drives the browser"),
    ])?)
}

/// Installs pg_cron for Debian's PostgreSQL, if it is missing and apt offers it.
pub fn pg_cron(pg: &PgConfig) -> Result<()> {
    let present = pg.extension_folder().join("pg_cron.control").is_file();
    let major = pg.release.major;
    let Some(apt) = Apt::find().filter(|_| !present && debian_path(major) == pg.path) else {
        return Ok(());
    };
    let package = format!("postgresql-{major}-cron");
    if !process::succeeds(Command::new("apt-cache").args(["show", "--quiet", &package])) {
        return Ok(());
    }
    apt.install(&[(package, "the test of maintenance schedules a job".to_owned())])
}

fn without_apt(requested: Option<&Path>) -> Result<PgConfig> {
    let path = choose(requested)
        .context("no pg_config on PATH; install PostgreSQL with its server headers")?;
    let pg = PgConfig::read(&path)?;
    require_complete(&pg)?;
    Ok(pg)
}

/// Fails if the server or its headers are missing, or of different major versions; warns if they are
/// of different minor releases.
fn require_complete(pg: &PgConfig) -> Result<()> {
    let Some(server) = pg.server_release() else {
        bail!("{} contains no server program", pg.bindir.display());
    };
    let Some(headers) = pg.header_release() else {
        bail!("{} contains no server headers", pg.server_headers.display());
    };
    if server.major != headers.major {
        bail!("the server is PostgreSQL {server}, its headers are of {headers}");
    }
    if server != headers {
        println!("setup: warning: the server is PostgreSQL {server}, its headers are of {headers}");
    }
    Ok(())
}

/// The `pg_config` to use: the requested one, else Debian's for the most preferred major, else the
/// one on PATH.
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
