//! The committed reference and `docs/schema.sql` are what a live database says.

use anyhow::Result;

use crate::checks::check::{Check, Run};
use crate::generate::{reference, schema_sql};
use crate::machine::toolchain::Toolchain;

pub const CHECK: Check = Check {
    name: "docs",
    about: "docs/reference.md and docs/schema.sql are what a live database says",
    run: Run::WithExtension(run),
};

fn run(toolchain: &Toolchain) -> Result<()> {
    reference::check(toolchain)?;
    schema_sql::check(toolchain)
}
