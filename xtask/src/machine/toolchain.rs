//! The checkout, and one PostgreSQL to build for: the commands that build there.

use std::process::Command;

use anyhow::Result;

use crate::machine::pg_config::PgConfig;
use crate::machine::project::Project;
use crate::machine::setup::pgrx;

/// What `setup` found or made: the checkout, and one PostgreSQL to build for.
#[derive(Clone, Debug)]
pub struct Toolchain {
    pub project: Project,
    pub pg: PgConfig,
}

impl Toolchain {
    /// `cargo pgrx ...` in the checkout, for the PostgreSQL in use; the pinned version is installed
    /// when there is none. Only what pgrx itself derives or runs needs it.
    pub fn cargo_pgrx(&self, subcommand: &str) -> Result<Command> {
        let program = pgrx::ready(&self.project, &self.pg)?;
        let mut command = Command::new(&program);
        command.args(["pgrx", subcommand]).current_dir(self.project.root());
        command.env("CARGO_TARGET_DIR", self.project.target()).env("CARGO_PGRX", &program);
        self.name_postgresql(&mut command);
        Ok(command)
    }

    /// `cargo ...` in the checkout, with what pgrx's build scripts need.
    pub fn cargo(&self) -> Command {
        let mut command = self.project.cargo();
        self.name_postgresql(&mut command);
        command
    }

    /// The cargo options that choose the extension's features for the PostgreSQL in use.
    pub fn feature_options(&self) -> [String; 3] {
        ["--no-default-features".into(), "--features".into(), self.pg.feature()]
    }

    /// pgrx's build scripts read this before any configuration of the user's, which thus may name
    /// another PostgreSQL, or not exist.
    fn name_postgresql(&self, command: &mut Command) {
        command.env("PGRX_PG_CONFIG_PATH", &self.pg.path);
    }
}
