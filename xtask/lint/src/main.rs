//! Prints every broken rule of the checkout that this was built from; fails when there is one.

use std::process::ExitCode;

use anyhow::Result;
use xtask::machine::project::Project;

fn main() -> Result<ExitCode> {
    let findings = lint::tree(Project::find()?.root())?;
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("{} findings", findings.len());
    Ok(ExitCode::FAILURE)
}
