//! Types for applications. The committed TypeScript is current, and a program that uses it compiles
//! under `tsc --strict` and runs against a server. JSON Schema validates real rows, and models
//! generated from it load them. The tools come from npm and PyPI into folders below target/.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::checks::check::{Check, Run};
use crate::checks::client_packages;
use crate::cluster::{Cluster, Settings};
use crate::generate::types;
use crate::machine::files;
use crate::machine::process;
use crate::machine::toolchain::Toolchain;

const DATABASE: &str = "types";

pub const CHECK: Check = Check {
    name: "types",
    about: "types/orchestrator.ts is current and compiles, JSON Schema validates rows, drivers send numbers",
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

    let folder = client_packages::folder(project);
    typescript(toolchain, &cluster, &folder)?;
    json_schema(toolchain, &cluster, &folder)?;
    numbers(toolchain, &cluster, &folder)
}

/// Calls functions with numbers as two drivers send them.
fn numbers(toolchain: &Toolchain, cluster: &Cluster, folder: &Path) -> Result<()> {
    let source = toolchain.project.root().join("tests/types");
    files::copy(&source.join("sent_numbers.cjs"), &folder.join("sent_numbers.cjs"))?;
    let mut python = Command::new(client_packages::python(&toolchain.project)?);
    let mut node = Command::new("node");
    for command in [
        python.arg(source.join("sent_numbers.py")),
        node.arg("sent_numbers.cjs").current_dir(folder),
    ] {
        process::run(cluster.export(command).env("PGDATABASE", DATABASE))?;
    }
    Ok(())
}

/// Compiles the program and runs it against the cluster.
fn typescript(toolchain: &Toolchain, cluster: &Cluster, folder: &Path) -> Result<()> {
    let root = toolchain.project.root();
    for file in ["tests/types/program.ts", "tests/types/tsconfig.json", "types/orchestrator.ts"] {
        files::copy(&root.join(file), &folder.join(file))?;
    }
    client_packages::node(&toolchain.project)?;
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

/// Validates the rows of every table and view, and loads them into generated models.
fn json_schema(toolchain: &Toolchain, cluster: &Cluster, folder: &Path) -> Result<()> {
    let source = toolchain.project.root().join("tests/types");
    let data = folder.join("tables.json");
    fs::write(&data, tables(cluster)?)
        .with_context(|| format!("cannot write {}", data.display()))?;
    let python = client_packages::python(&toolchain.project)?;
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
