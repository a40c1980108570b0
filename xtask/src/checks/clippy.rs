//! Clippy over the workspace and all its targets; warnings are errors.

use crate::checks::check::{Check, Run};
use crate::machine::process;
use crate::machine::project::EXTENSION;

pub const CHECK: Check = Check {
    name: "clippy",
    about: "no lint reports anything (cargo clippy, all targets)",
    run: Run::WithTools(|toolchain| {
        let feature = |name: &str| format!("{EXTENSION}/{name}");
        process::run(
            toolchain
                .cargo()
                .args(["clippy", "--workspace", "--all-targets", "--no-default-features"])
                .args(["--features", &feature(&toolchain.pg.feature())])
                .args(["--features", &feature("pg_test")])
                .args(["--", "-D", "warnings"]),
        )
    }),
};
