//! The unit tests of xtask itself: linter, chain, source rewriting.

use crate::checks::{Check, Run};
use crate::machine::process;

pub const CHECK: Check = Check {
    name: "unit",
    about: "unit tests of these checks themselves",
    run: Run::OnSources(|project| {
        process::run(project.cargo().args(["test", "--package", "xtask", "--lib"]))
    }),
};
