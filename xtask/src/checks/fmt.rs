//! Formatting: `cargo fmt --check` over the workspace.

use crate::checks::check::{Check, Run};
use crate::machine::process;

pub const CHECK: Check = Check {
    name: "fmt",
    about: "Rust sources are formatted (cargo fmt)",
    run: Run::OnSources(|project| {
        // rustfmt would colour its output in a log file, too.
        let mut fmt = project.cargo();
        fmt.args(["fmt", "--all", "--check", "--", "--color", "never"]);
        process::run(&mut fmt)
    }),
};
