//! The rules for version scripts, applied to `sql/` by the linter.

use anyhow::bail;

use crate::checks::{Check, Run};
use crate::lint;

pub const CHECK: Check = Check {
    name: "scripts",
    about: "version scripts keep the rules of this project (a linter over sql/)",
    run: Run::OnSources(|project| {
        let findings = lint::project(project)?;
        for finding in &findings {
            println!("{finding}");
        }
        if !findings.is_empty() {
            bail!("{} findings", findings.len());
        }
        Ok(())
    }),
};
