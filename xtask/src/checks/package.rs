//! The Debian package contains everything: unpacked over a PostgreSQL without the extension, it runs
//! the tour.

mod fresh_root;

use std::process::Command;

use anyhow::{Result, bail};

use self::fresh_root::FreshRoot;
use crate::address::query;
use crate::checks::check::{Check, Run};
use crate::cluster::{Cluster, Settings};
use crate::console::NAME;
use crate::demo;
use crate::generate::package::{self, console, meta};
use crate::machine::process;
use crate::machine::toolchain::Toolchain;

pub const CHECK: Check = Check {
    name: "package",
    about: "META.json is current, and the tour runs from the Debian package alone",
    run: Run::WithExtension(run),
};

const DATABASE: &str = "packaged";

fn run(toolchain: &Toolchain) -> Result<()> {
    meta::check(&toolchain.project)?;
    if let Err(reason) = package::require_tools() {
        println!("No package was built: {reason}");
        return Ok(());
    }
    let file = package::build(toolchain)?;
    let root = FreshRoot::of(&toolchain.pg)?;
    let pg = root.pg_config()?;

    let cluster = Cluster::start(&pg, &Settings::default())?;
    cluster.create_database(DATABASE)?;
    let mut client = cluster.connect(DATABASE)?;
    if client.batch_execute("CREATE EXTENSION orchestrator_schema").is_ok() {
        bail!("the new root has the extension before the package is unpacked");
    }
    root.unpack(&file)?;
    process::output(&mut demo::tour(&toolchain.project, &cluster, DATABASE))?;
    let version: String = query(
        &mut client,
        "SELECT extversion FROM pg_extension WHERE extname = 'orchestrator_schema'",
    )?
    .first()
    .map_or(Ok(String::new()), |row| row.try_get(0))?;
    if version != toolchain.project.version() {
        bail!("the package installs version {version:?}");
    }
    if !query(&mut client, "SELECT FROM orchestrator.verify()")?.is_empty() {
        bail!("verify() finds differences after the tour");
    }
    println!("{} installs version {version}, and the tour runs", file.display());
    check_console(toolchain)
}

/// The package of the console holds a program that starts, and its unit.
fn check_console(toolchain: &Toolchain) -> Result<()> {
    let file = console::build(toolchain)?;
    let folder = tempfile::tempdir()?;
    process::output(Command::new("dpkg-deb").arg("--extract").arg(&file).arg(folder.path()))?;
    let program = folder.path().join("usr/bin").join(NAME);
    let version = process::output(Command::new(&program).arg("--version"))?;
    let unit = folder.path().join("usr/lib/systemd/system/orchestrator-console.service");
    if !unit.exists() {
        bail!("{} has no unit", file.display());
    }
    println!("{} holds {}", file.display(), version.trim_end());
    Ok(())
}
