//! The rules for version scripts and for tests, applied to `sql/` and `tests/` by the linter. That is
//! a program of its own: the server's grammar is built with clang, which a fresh machine does not have.

use crate::checks::check::{Check, Run};
use crate::machine::process;
use crate::machine::setup::packages;

pub const CHECK: Check = Check {
    name: "scripts",
    about: "version scripts keep the rules of this project, and tests ask no clock (a linter)",
    run: Run::OnSources(|project| {
        packages::for_bindings()?;
        process::run(project.cargo().args(["run", "--quiet", "--package", "lint"]))
    }),
};
