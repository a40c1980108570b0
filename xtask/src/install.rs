//! Builds the extension and installs library, control file and scripts into PostgreSQL, without
//! leftovers of other builds. It does not need cargo-pgrx: no SQL is generated from Rust, and the
//! install script of the newest version is the chain of scripts.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::unistd::{AccessFlags, access};

use crate::chain::{self, Chain};
use crate::machine::checksum;
use crate::machine::files::files_below;
use crate::machine::process;
use crate::machine::project::EXTENSION;
use crate::machine::toolchain::Toolchain;

/// The optimisation of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// The build that is tested and packaged.
    Release,
    /// Takes half the time to build and runs a little slower: good enough for a demo.
    Demo,
}

impl Build {
    /// The cargo profile.
    fn profile(self) -> &'static str {
        match self {
            Build::Release => "release",
            Build::Demo => "demo",
        }
    }
}

/// Builds and installs, whether or not the installation is current.
pub fn install(toolchain: &Toolchain, build: Build) -> Result<()> {
    let library = compile(toolchain, build)?;
    let staged = stage(toolchain, &library)?;
    let folder = toolchain.pg.extension_folder();
    for (file, folder) in staged.iter().map(|(file, folder)| (file.as_path(), folder.as_path())) {
        place(file, folder)?;
    }
    let ours: BTreeSet<_> = staged.iter().filter_map(|(file, _)| file.file_name()).collect();
    for leftover in installed_scripts(&folder)? {
        if !ours.contains(leftover.as_os_str()) {
            println!("Removing {}, a leftover of another build", leftover.display());
            discard(&folder.join(leftover))?;
        }
    }
    fs::write(stamp_file(toolchain), stamp(toolchain, build)?)?;
    Ok(())
}

/// Builds and installs, unless the installation comes from the present sources and is optimised at
/// least as well as `build`.
pub fn ready(toolchain: &Toolchain, build: Build) -> Result<()> {
    let recorded = fs::read_to_string(stamp_file(toolchain)).ok();
    let good_enough: &[Build] = match build {
        Build::Release => &[Build::Release],
        Build::Demo => &[Build::Release, Build::Demo],
    };
    let is_current =
        |build: &Build| recorded.is_some() && recorded == stamp(toolchain, *build).ok();
    if good_enough.iter().any(is_current) {
        return Ok(());
    }
    install(toolchain, build)
}

/// Builds the library, and returns its file.
fn compile(toolchain: &Toolchain, build: Build) -> Result<PathBuf> {
    let mut command = toolchain.cargo();
    command
        .args(["build", "--package", EXTENSION, "--lib", "--profile", build.profile()])
        .args(toolchain.feature_options());
    process::run(&mut command)?;
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let folder = toolchain.project.target().join(build.profile());
    Ok(folder.join(format!("{prefix}{EXTENSION}{suffix}")))
}

/// Writes every file to install into a folder for this purpose. Returns each with the folder that it
/// is to be installed in.
fn stage(toolchain: &Toolchain, library: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let Toolchain { project, pg } = toolchain;
    let folder = project.scratch().join("stage");
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut staged = Vec::new();
    let mut write = |name: &str, content: &[u8], to: &Path| -> Result<()> {
        let file = folder.join(name);
        fs::write(&file, content).with_context(|| format!("cannot write {}", file.display()))?;
        staged.push((file, to.to_owned()));
        Ok(())
    };
    let scripts = pg.extension_folder();
    let name = pg.library().file_name().context("the library has no name")?.to_owned();
    write(&name.to_string_lossy(), &read(library)?, &pg.pkglibdir)?;
    let control = format!("{EXTENSION}.control");
    let text = String::from_utf8(read(&project.root().join(&control))?)?;
    write(&control, text.replace("@CARGO_VERSION@", project.version()).as_bytes(), &scripts)?;

    let chain = Chain::read(&project.sql_folder())?;
    let content = |script: chain::Script| read(&project.sql_folder().join(script.file_name()));
    let mut newest = Vec::new();
    for script in std::iter::once(chain.base()).chain(chain.ups()) {
        newest.extend(content(script)?);
    }
    for script in chain.scripts() {
        write(&script.file_name(), &content(script)?, &scripts)?;
    }
    if chain.newest() != chain::Version::BASE {
        write(&chain::Script::Base(chain.newest()).file_name(), &newest, &scripts)?;
    }
    Ok(staged)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// The checksums of all sources of an installation and of all installed files.
fn stamp(toolchain: &Toolchain, build: Build) -> Result<String> {
    let root = toolchain.project.root();
    let folder = toolchain.pg.extension_folder();
    let control = format!("{EXTENSION}.control");
    let mut files: Vec<PathBuf> =
        ["Cargo.toml", "Cargo.lock", &control].iter().map(|name| root.join(name)).collect();
    files.extend(files_below(&root.join("src"))?);
    files.extend(files_below(&root.join("sql"))?);
    files.push(toolchain.pg.path.clone());
    files.push(toolchain.pg.library());
    files.push(folder.join(&control));
    files.extend(installed_scripts(&folder)?.iter().map(|name| folder.join(name)));
    let mut text = format!("profile {}\n", build.profile());
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
fn installed_scripts(folder: &Path) -> Result<Vec<PathBuf>> {
    let prefix = format!("{EXTENSION}--");
    let mut names = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with(&prefix) && name.ends_with(".sql") {
            names.push(name.into());
        }
    }
    names.sort();
    Ok(names)
}

/// Installs a file into a folder, and replaces a file of the same name. The old file is not written
/// into, because a server may have loaded it as its library.
fn place(file: &Path, folder: &Path) -> Result<()> {
    let is_writable = access(folder, AccessFlags::W_OK).is_ok();
    let mut install = match is_writable {
        true => std::process::Command::new("install"),
        false => process::as_root("install"),
    };
    let mode = if file.extension().is_some_and(|kind| kind == "sql" || kind == "control") {
        "644"
    } else {
        "755"
    };
    process::run(install.args(["-m", mode]).arg(file).arg(folder))
}

fn discard(file: &Path) -> Result<()> {
    let folder = file.parent().with_context(|| format!("{} has no folder", file.display()))?;
    if access(folder, AccessFlags::W_OK).is_ok() {
        return fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()));
    }
    process::run(process::as_root("rm").arg(file))
}
