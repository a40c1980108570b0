//! pgspot, installed from PyPI into a virtual environment below target/: no script may use a name
//! that an attacker could hijack.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::chain::Chain;
use crate::checks::check::{Check, Run};
use crate::machine::process;
use crate::machine::project::Project;
use crate::machine::setup::{packages, programs};

const VERSION: &str = "0.9.4";

pub const CHECK: Check = Check {
    name: "pgspot",
    about: "pgspot finds nothing in base, up and down scripts",
    run: Run::OnSources(run),
};

fn run(project: &Project) -> Result<()> {
    packages::for_tests()?;
    let program = installed(&project.target().join("pgspot"))?;
    let chain = Chain::read(&project.sql_folder())?;
    let mut pgspot = Command::new(program);
    pgspot
        .current_dir(project.sql_folder())
        // PS002 and PS015 are about CREATE OR REPLACE of a function or a view that the script did not
        // create. pgspot sees one script at a time; the check `scripts` follows the chain and covers
        // this.
        .args(["--ignore", "PS002", "--ignore", "PS015"])
        .args(chain.scripts().map(|script| script.file_name()));
    process::run(&mut pgspot)
}

/// The pinned pgspot, installed if it is missing.
fn installed(folder: &Path) -> Result<PathBuf> {
    let program = folder.join("bin/pgspot");
    let mut version = Command::new(&program);
    if process::output(version.arg("--version")).is_ok_and(|answer| answer.contains(VERSION)) {
        return Ok(program);
    }
    println!("Installing pgspot {VERSION} into {}", folder.display());
    let mut create = Command::new(programs::python()?);
    process::run(create.args(["-m", "venv", "--clear"]).arg(folder))?;
    let mut install = Command::new(folder.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    process::run(install.arg(format!("pgspot=={VERSION}")))?;
    Ok(program)
}
