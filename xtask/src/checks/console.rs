//! The console in a real browser (`tests/console.rs`): Debian's Chromium, driven by its chromedriver. axe-core, which looks
//! for what keeps a person from using a page, comes from npm into a folder below target/.

use anyhow::{Context, Result};

use crate::checks::check::{Check, Run};
use crate::checks::server_tests;
use crate::console::{self, Build};
use crate::machine::setup::{node_packages, packages};
use crate::machine::toolchain::Toolchain;

pub const CHECK: Check = Check {
    name: "console",
    about: "people decide questions in a real Chromium, with and without scripts (tests/console.rs)",
    run: Run::WithExtension(run),
};

fn run(toolchain: &Toolchain) -> Result<()> {
    let project = &toolchain.project;
    packages::chromium()?;
    let folder = project.target().join("console");
    node_packages::install(&project.root().join("tests/console"), &folder)
        .context("no page was looked at, because axe-core cannot be had from npm")?;
    let environment = [
        ("ORCHESTRATOR_CONSOLE", console::build(toolchain, Build::Debug)?),
        ("ORCHESTRATOR_AXE", folder.join("node_modules/axe-core/axe.min.js")),
    ];
    server_tests::run_in(toolchain, "console", &environment)
}
