//! The unit tests of xtask itself: linter, chain, source rewriting; and which file imports which.

use crate::checks::check::{Check, Run};
use crate::machine::process;

pub const CHECK: Check = Check {
    name: "unit",
    about: "unit tests of these checks themselves; no files import in a circle",
    run: Run::OnSources(|project| {
        process::run(project.cargo().args([
            "test",
            "--package",
            "xtask",
            "--lib",
            "--test",
            "imports",
        ]))
    }),
};
