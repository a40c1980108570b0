//! Everything that must be on the machine before the extension can be built and tried:
//! each step looks first, and says in one line what it does and why.

mod apt;
pub mod packages;
pub mod pgrx;
pub mod programs;

use std::path::Path;

use anyhow::Result;

use crate::machine::project::Project;
use crate::machine::toolchain::Toolchain;

/// Makes the machine ready to build and to run; silent when it is.
pub fn ready(project: &Project, requested: Option<&Path>) -> Result<Toolchain> {
    Ok(Toolchain { project: project.clone(), pg: packages::postgresql(requested)? })
}
