//! Costs of calls against LiteLLM's own calculator (`tests/litellm/costs.py`). LiteLLM comes from PyPI into a virtual
//! environment below target/, with the price file of that version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::checks::check::{Check, Run};
use crate::cluster::{Cluster, Settings};
use crate::machine::process;
use crate::machine::setup::programs;
use crate::machine::toolchain::Toolchain;

/// The pinned packages: LiteLLM, and the driver that the program uses.
const PACKAGES: [&str; 2] = ["litellm==1.110.2", "psycopg[binary]==3.3.9"];

const DATABASE: &str = "litellm";

pub const CHECK: Check = Check {
    name: "litellm",
    about: "10,000 random calls cost what LiteLLM's own calculator says (tests/litellm; network)",
    run: Run::WithExtension(run),
};

fn run(toolchain: &Toolchain) -> Result<()> {
    let project = &toolchain.project;
    let python = installed(&project.target().join("litellm")).with_context(|| {
        format!("no cost was compared, because {} cannot be had from PyPI", PACKAGES[0])
    })?;
    let cluster = Cluster::start(&toolchain.pg, &Settings::default())?;
    cluster.create_database(DATABASE)?;
    cluster.connect(DATABASE)?.batch_execute("CREATE EXTENSION orchestrator_schema")?;
    let mut compare = Command::new(python);
    compare.arg(project.root().join("tests/litellm/costs.py"));
    // Without this variable, LiteLLM fetches the price file of another day.
    compare.env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
    process::run(cluster.export(&mut compare).env("PGDATABASE", DATABASE))
}

/// The Python of a virtual environment with the pinned packages, which are installed if they are missing.
fn installed(folder: &Path) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    let wanted = PACKAGES.join("\n");
    let list = folder.join("installed-packages.txt");
    if fs::read_to_string(&list).is_ok_and(|earlier| earlier == wanted) {
        return Ok(python);
    }
    println!("Installing LiteLLM into {}", folder.display());
    let mut create = Command::new(programs::python()?);
    process::run(create.args(["-m", "venv", "--clear"]).arg(folder))?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    process::run(install.args(PACKAGES))?;
    fs::write(&list, wanted).with_context(|| format!("cannot write {}", list.display()))?;
    Ok(python)
}
