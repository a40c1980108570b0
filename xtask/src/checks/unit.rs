//! The unit tests of these checks (chain, pages, linter), and the test that no files import in a
//! circle.

use crate::checks::check::{Check, Run};
use crate::machine::process;
use crate::machine::setup::packages;

pub const CHECK: Check = Check {
    name: "unit",
    about: "unit tests of these checks and of the console; no files import in a circle",
    run: Run::OnSources(|project| {
        packages::for_bindings()?;
        process::run(project.cargo().args([
            "test",
            "--package",
            "xtask",
            "--package",
            "lint",
            "--package",
            "orchestrator-console",
        ]))
    }),
};
