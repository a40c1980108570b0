//! The extension builds, and is installed into PostgreSQL.

use crate::checks::check::{Check, Run};
use crate::install::{self, Build};

pub const CHECK: Check = Check {
    name: "install",
    about: "the release build succeeds and can be installed",
    run: Run::WithTools(|toolchain| install::ready(toolchain, Build::Release)),
};
