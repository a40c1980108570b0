//! The linter checks the rules for version scripts and tests in `sql/` and `tests/`. It is a separate
//! program, because it contains the server's grammar, and building that needs clang, which a new
//! machine does not have.

use crate::checks::check::{Check, Run};
use crate::machine::process;
use crate::machine::setup::packages;

pub const CHECK: Check = Check {
    name: "scripts",
    about: "version scripts follow the rules of this project, and tests read no clock (a linter)",
    run: Run::OnSources(|project| {
        packages::for_bindings()?;
        process::run(project.cargo().args(["run", "--quiet", "--package", "lint"]))
    }),
};
