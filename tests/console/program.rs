//! Programs that the check of the console names.

use std::env;
use std::ffi::OsString;

use anyhow::{Context, Result};

/// A path that `cargo xtask check console` passes.
pub fn path(variable: &str) -> Result<OsString> {
    env::var_os(variable).with_context(|| {
        format!("{variable} is not set: run these tests with `cargo xtask check console`")
    })
}
