//! One check: its name, its description, and the tools that it needs.

use anyhow::Result;

use crate::machine::project::Project;
use crate::machine::toolchain::Toolchain;

/// One check, as the list and the command line show it.
pub struct Check {
    pub name: &'static str,
    pub about: &'static str,
    pub run: Run,
}

impl Check {
    pub fn needs_extension(&self) -> bool {
        matches!(self.run, Run::WithExtension(_))
    }

    /// Whether this check and another may run side by side.
    pub fn runs_beside(&self, other: &Self) -> bool {
        use Run::{OnSources, WithExtension};
        matches!(
            (&self.run, &other.run),
            (OnSources(_), OnSources(_)) | (WithExtension(_), WithExtension(_))
        )
    }
}

/// The function of a check, by the tools that it needs.
pub enum Run {
    /// Only the checkout. The check changes neither its sources nor the tools, so it may run beside others
    /// of its kind.
    OnSources(fn(&Project) -> Result<()>),
    /// PostgreSQL, its headers and cargo-pgrx.
    WithTools(fn(&Toolchain) -> Result<()>),
    /// The same, with the extension of the present sources installed. The check does not change the
    /// installation, so it may run beside others of its kind.
    WithExtension(fn(&Toolchain) -> Result<()>),
}
