//! The checkout and the tools that checks use.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::check::{Check, Run};
use crate::install::{self, Build};
use crate::machine::project::Project;
use crate::machine::setup;
use crate::machine::setup::packages;
use crate::machine::toolchain::Toolchain;

/// The checkout, and the tools, which are set up when the first check needs them.
pub struct Workbench {
    pub project: Project,
    pg_config: Option<PathBuf>,
    toolchain: OnceCell<Toolchain>,
}

impl Workbench {
    pub fn new(project: Project, pg_config: Option<PathBuf>) -> Self {
        Self { project, pg_config, toolchain: OnceCell::new() }
    }

    pub fn toolchain(&self) -> Result<&Toolchain> {
        if self.toolchain.get().is_none() {
            let toolchain = setup::ready(&self.project, self.pg_config.as_deref())?;
            packages::for_tests()?;
            return Ok(self.toolchain.get_or_init(|| toolchain));
        }
        self.toolchain.get().context("the toolchain was not kept")
    }

    pub fn pg_config(&self) -> Option<&Path> {
        self.pg_config.as_deref()
    }

    pub fn run(&self, check: &Check) -> Result<()> {
        match check.run {
            Run::OnSources(run) => run(&self.project),
            Run::WithTools(run) => run(self.toolchain()?),
            Run::WithExtension(run) => {
                let toolchain = self.toolchain()?;
                install::ready(toolchain, Build::Release)?;
                run(toolchain)
            }
        }
    }
}
