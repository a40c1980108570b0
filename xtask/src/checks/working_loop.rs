//! The working loop with real processes (`tests/loop.rs`): workers in Rust, Python and TypeScript, and
//! PgBouncer.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::checks::check::{Check, Run};
use crate::checks::{client_packages, server_tests};
use crate::machine::files;
use crate::machine::process;
use crate::machine::project::Project;
use crate::machine::setup::packages;
use crate::machine::toolchain::Toolchain;

pub const CHECK: Check = Check {
    name: "loop",
    about: "workers that are killed in any line lose no task, also behind PgBouncer (tests/loop.rs)",
    run: Run::WithExtension(run),
};

fn run(toolchain: &Toolchain) -> Result<()> {
    let project = &toolchain.project;
    packages::require("pgbouncer", "pools the connections of workers")?;
    let python = client_packages::python(project)?;
    let program = compile(project, &client_packages::folder(project).join("loop"))?;
    let environment = [("ORCHESTRATOR_PYTHON", python), ("ORCHESTRATOR_LOOP_JS", program)];
    server_tests::run_in(toolchain, "loop", &environment)
}

/// Compiles the worker in TypeScript. Returns the program.
fn compile(project: &Project, folder: &Path) -> Result<PathBuf> {
    client_packages::node(project)?;
    for file in ["worker.ts", "model.ts", "tsconfig.json", "package.json"] {
        files::copy(&project.root().join("tests/loop").join(file), &folder.join(file))?;
    }
    let compiler = client_packages::folder(project).join("node_modules/typescript/bin/tsc");
    process::run(Command::new("node").arg(compiler).arg("--project").arg(folder))?;
    Ok(folder.join("compiled/worker.js"))
}
