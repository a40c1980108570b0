//! The rules for version scripts and for tests, applied to `sql/` and `tests/` by the linter.

use anyhow::bail;

use crate::checks::check::{Check, Run};
use crate::lint;

pub const CHECK: Check = Check {
    name: "scripts",
    about: "version scripts keep the rules of this project, and tests ask no clock (a linter)",
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
