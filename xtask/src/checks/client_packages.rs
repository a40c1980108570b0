//! The packages that clients need, from npm and PyPI, in one folder below target/ for all checks. The lock
//! files are in tests/types.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::machine::process;
use crate::machine::project::Project;
use crate::machine::setup::{node_packages, programs};

/// The folder of the packages. Programs below it find those of npm.
pub fn folder(project: &Project) -> PathBuf {
    project.target().join("types")
}

fn source(project: &Project) -> PathBuf {
    project.root().join("tests/types")
}

/// Installs the packages of the lock file of npm, unless this was done for the same lock file.
pub fn node(project: &Project) -> Result<()> {
    let folder = folder(project);
    let _alone = alone(&folder)?;
    node_packages::install(&source(project), &folder)
}

/// The Python of a virtual environment with the pinned packages, which are installed if they are
/// missing.
pub fn python(project: &Project) -> Result<PathBuf> {
    let requirements = source(project).join("requirements.txt");
    let _alone = alone(&folder(project))?;
    let folder = folder(project).join("python");
    let python = folder.join("bin/python");
    let wanted = fs::read(&requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let installed = folder.join("installed-requirements.txt");
    if fs::read(&installed).is_ok_and(|earlier| earlier == wanted) {
        return Ok(python);
    }
    println!("Installing Python packages into {}", folder.display());
    let mut create = Command::new(programs::python()?);
    process::run(create.args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    process::run(install.arg(&requirements))?;
    fs::write(&installed, wanted)
        .with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(python)
}

/// Waits until no other check installs packages. Dropping the file releases the lock.
fn alone(folder: &Path) -> Result<File> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let file = File::open(folder).with_context(|| format!("cannot open {}", folder.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", folder.display()))?;
    Ok(file)
}
