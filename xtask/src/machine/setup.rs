//! Sets up the machine so that the extension can be built and tried. A step that has something to do
//! first prints one line with its purpose.

mod apt;
pub mod node_packages;
pub mod packages;
pub mod pgrx;
pub mod programs;

use std::path::Path;

use anyhow::Result;

use crate::machine::project::Project;
use crate::machine::toolchain::Toolchain;

/// Makes the machine ready to build and to run. Prints nothing if it is ready.
pub fn ready(project: &Project, requested: Option<&Path>) -> Result<Toolchain> {
    Ok(Toolchain { project: project.clone(), pg: packages::postgresql(requested)? })
}
