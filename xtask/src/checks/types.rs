//! Types for applications. The committed TypeScript is current, and a program that uses it compiles
//! under `tsc --strict` and runs against a server. JSON Schema validates real rows, and models
//! generated from it load them. The tools come from npm and PyPI into folders below target/.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::checks::check::{Check, Run};
use crate::cluster::{Cluster, Settings};
use crate::generate::types;
use crate::machine::process;
use crate::machine::setup::programs;
use crate::machine::toolchain::Toolchain;

const DATABASE: &str = "types";

pub const CHECK: Check = Check {
    name: "types",
    about: "types/orchestrator.ts is current and compiles, JSON Schema validates rows",
    run: Run::WithExtension(run),
};

fn run(toolchain: &Toolchain) -> Result<()> {
    let project = &toolchain.project;
    let cluster = Cluster::start(&toolchain.pg, &Settings::default())?;
    types::check_currency(project, &cluster)?;
    println!("types/orchestrator.ts agrees with a new installation");

    // The tour leaves rows in nearly every table.
    cluster.create_database(DATABASE)?;
    let mut tour = cluster.command("psql");
    tour.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=examples/tour.sql"])
        .arg(format!("--dbname={DATABASE}"))
        .current_dir(project.root());
    process::output(&mut tour)?;

    let folder = project.target().join("types");
    typescript(toolchain, &cluster, &folder)?;
    json_schema(toolchain, &cluster, &folder)
}

/// Compiles the program and runs it against the cluster.
fn typescript(toolchain: &Toolchain, cluster: &Cluster, folder: &Path) -> Result<()> {
    let root = toolchain.project.root();
    for file in ["tests/types/program.ts", "tests/types/tsconfig.json", "types/orchestrator.ts"] {
        copy(&root.join(file), &folder.join(file))?;
    }
    install_node_packages(&root.join("tests/types"), folder)?;
    let mut compile = Command::new("node");
    compile
        .args(["node_modules/typescript/bin/tsc", "--project", "tests/types/tsconfig.json"])
        .current_dir(folder);
    process::run(&mut compile)?;
    let mut program = Command::new("node");
    cluster.export(&mut program).env("PGDATABASE", DATABASE);
    process::run(program.arg("compiled/tests/types/program.js").current_dir(folder))?;
    println!("a program that uses the types compiles under tsc --strict, and runs");
    Ok(())
}

/// Installs the packages of the lock file, unless this was done for the same lock file.
fn install_node_packages(source: &Path, folder: &Path) -> Result<()> {
    const LOCK: &str = "package-lock.json";
    programs::node()?;
    let lock = fs::read(source.join(LOCK)).with_context(|| format!("cannot read {LOCK}"))?;
    let installed = folder.join("installed-lock.json");
    if fs::read(&installed).is_ok_and(|earlier| earlier == lock) {
        return Ok(());
    }
    println!("Installing node packages into {}", folder.display());
    for file in ["package.json", LOCK] {
        copy(&source.join(file), &folder.join(file))?;
    }
    let mut install = Command::new("npm");
    install.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder);
    process::run(&mut install)?;
    fs::write(&installed, lock).with_context(|| format!("cannot write {}", installed.display()))
}

/// Validates the rows of every table and view, and loads them into generated models.
fn json_schema(toolchain: &Toolchain, cluster: &Cluster, folder: &Path) -> Result<()> {
    let source = toolchain.project.root().join("tests/types");
    let data = folder.join("tables.json");
    fs::write(&data, tables(cluster)?)
        .with_context(|| format!("cannot write {}", data.display()))?;
    let python = python_packages(&source.join("requirements.txt"), &folder.join("python"))?;
    let mut check = Command::new(python);
    process::run(check.arg(source.join("rows.py")).arg(data).arg(folder.join("models")))
}

/// Name, schema and rows of each table and view, as a JSON array.
fn tables(cluster: &Cluster) -> Result<String> {
    let mut client = cluster.connect(DATABASE)?;
    let names = client.query(
        "SELECT c.relname::text FROM pg_class AS c \
         WHERE c.relnamespace = 'orchestrator'::regnamespace AND c.relkind IN ('r', 'v') ORDER BY 1",
        &[],
    )?;
    let mut tables = Vec::new();
    for name in names {
        let name: String = name.try_get(0)?;
        let row = client.query_one(
            &format!(
                "SELECT orchestrator.json_schema('{name}')::text, \
                        coalesce(jsonb_agg(to_jsonb(t)), '[]')::text FROM orchestrator.{name} AS t"
            ),
            &[],
        )?;
        let (schema, rows): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        // Joined as text, so that no number is parsed and printed in another form.
        tables.push(format!(r#"{{"table": "{name}", "schema": {schema}, "rows": {rows}}}"#));
    }
    Ok(format!("[{}]", tables.join(",\n")))
}

/// The Python of a virtual environment with the pinned packages, which are installed if they are
/// missing.
fn python_packages(requirements: &Path, folder: &Path) -> Result<PathBuf> {
    let python = folder.join("bin/python");
    let wanted = fs::read(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let installed = folder.join("installed-requirements.txt");
    if fs::read(&installed).is_ok_and(|earlier| earlier == wanted) {
        return Ok(python);
    }
    println!("Installing Python packages into {}", folder.display());
    let mut create = Command::new(programs::python()?);
    process::run(create.args(["-m", "venv", "--clear"]).arg(folder))?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    process::run(install.arg(requirements))?;
    fs::write(&installed, wanted)
        .with_context(|| format!("cannot write {}", installed.display()))?;
    Ok(python)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::copy(from, to)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}
