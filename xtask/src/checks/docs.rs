//! The committed reference and `docs/schema.sql` agree with a live database.

use anyhow::Result;

use crate::checks::check::{Check, Run};
use crate::generate::{reference, schema_sql};
use crate::machine::toolchain::Toolchain;

pub const CHECK: Check = Check {
    name: "docs",
    about: "docs/reference.md and docs/schema.sql agree with a live database",
    run: Run::WithExtension(run),
};

fn run(toolchain: &Toolchain) -> Result<()> {
    reference::check(toolchain)?;
    schema_sql::check(toolchain)
}
