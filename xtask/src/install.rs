//! Builds the extension in release mode and installs it into PostgreSQL,
//! with the base script that cargo-pgrx leaves out and without leftovers of other builds.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::unistd::{AccessFlags, access};

use crate::chain::{self, Chain};
use crate::checksum;
use crate::process;
use crate::project::EXTENSION;
use crate::setup::Toolchain;

/// Builds and installs, always.
pub fn install(toolchain: &Toolchain) -> Result<()> {
    let folder = toolchain.pg.extension_folder();
    let writable = is_writable(&folder) && is_writable(&toolchain.pg.pkglibdir);
    let mut command = toolchain.cargo_pgrx("install");
    command
        .args(["--release", "--pg-config"])
        .arg(&toolchain.pg.path)
        .args(toolchain.feature_options());
    if !writable {
        command.arg("--sudo");
    }
    process::run(&mut command)?;

    let chain = Chain::read(&toolchain.project.sql_folder())?;
    let base = chain.base().file_name();
    place(&toolchain.project.sql_folder().join(&base), &folder, writable)?;

    let mut ours: BTreeSet<String> = chain.scripts().map(|script| script.file_name()).collect();
    ours.insert(format!("{EXTENSION}--{}.sql", toolchain.project.version()));
    for leftover in installed_scripts(&folder)? {
        if !ours.contains(&leftover) {
            println!("Removing {leftover}, which is not of this build");
            discard(&folder.join(&leftover), writable)?;
        }
    }
    fs::create_dir_all(toolchain.project.scratch())?;
    fs::write(stamp_file(toolchain), stamp(toolchain)?)?;
    Ok(())
}

/// Builds and installs unless what is installed is what the present sources gave.
pub fn ready(toolchain: &Toolchain) -> Result<()> {
    let recorded = fs::read_to_string(stamp_file(toolchain)).ok();
    if recorded.is_some() && recorded == stamp(toolchain).ok() {
        return Ok(());
    }
    install(toolchain)
}

/// The checksums of all that goes into an installation and all that came out of it.
fn stamp(toolchain: &Toolchain) -> Result<String> {
    let root = toolchain.project.root();
    let folder = toolchain.pg.extension_folder();
    let control = format!("{EXTENSION}.control");
    let mut files: Vec<PathBuf> =
        ["Cargo.toml", "Cargo.lock", &control].iter().map(|name| root.join(name)).collect();
    files.extend(chain::files_below(&root.join("src"))?);
    files.extend(chain::files_below(&root.join("sql"))?);
    files.push(toolchain.pg.path.clone());
    files.push(toolchain.pg.library());
    files.push(folder.join(&control));
    files.extend(installed_scripts(&folder)?.iter().map(|name| folder.join(name)));
    let mut text = String::new();
    for file in files {
        text.push_str(&format!("{}  {}\n", checksum::of_file(&file)?, file.display()));
    }
    Ok(text)
}

fn stamp_file(toolchain: &Toolchain) -> PathBuf {
    let name = format!("installed-{}", toolchain.pg.feature());
    toolchain.project.scratch().join(name)
}

/// The names of our scripts in PostgreSQL's extension folder, in order.
fn installed_scripts(folder: &Path) -> Result<Vec<String>> {
    let prefix = format!("{EXTENSION}--");
    let mut names = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with(&prefix) && name.ends_with(".sql") {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn place(file: &Path, folder: &Path, writable: bool) -> Result<()> {
    if writable {
        let name = file.file_name().context("a script without a name")?;
        fs::copy(file, folder.join(name))
            .with_context(|| format!("cannot copy {} to {}", file.display(), folder.display()))?;
        return Ok(());
    }
    process::run(process::as_root("install").args(["-m", "644"]).arg(file).arg(folder))
}

fn discard(file: &Path, writable: bool) -> Result<()> {
    if writable {
        return fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()));
    }
    process::run(process::as_root("rm").arg(file))
}

fn is_writable(folder: &Path) -> bool {
    access(folder, AccessFlags::W_OK).is_ok()
}
