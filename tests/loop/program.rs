//! The programs of workers, in three languages.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use xtask::machine::process;

use crate::place::Place;
use crate::wire;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Rust,
    Python,
    TypeScript,
}

impl Program {
    /// Whether it makes its own run and task, and asks a human.
    pub fn has_run(self) -> bool {
        self != Self::Rust
    }

    /// Starts a worker that ends when its work is done.
    pub fn start(
        self,
        place: &Place,
        socket_folder: &Path,
        thread: &str,
        name: &str,
    ) -> Result<Child> {
        let mut command = match self {
            Self::Rust => Command::new(env!("CARGO_BIN_EXE_loop-worker")),
            Self::Python => {
                let mut command = Command::new(given("ORCHESTRATOR_PYTHON")?);
                command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/loop/worker.py")).arg(thread);
                command
            }
            Self::TypeScript => {
                let mut command = Command::new("node");
                command.arg(given("ORCHESTRATOR_LOOP_JS")?).arg(thread);
                command
            }
        };
        process::without_postgres_settings(&mut command)
            .env("PGHOST", socket_folder)
            .env("PGPORT", wire::PORT.to_string())
            .env("PGUSER", place.worker())
            .env("PGDATABASE", place.database.name())
            .env("WORKER", name)
            .env("SEED", "0")
            .env("CALLS", place.calls())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command.spawn().with_context(|| format!("cannot start {}", process::describe(&command)))
    }
}

/// A path that `cargo xtask check loop` passes.
fn given(variable: &str) -> Result<PathBuf> {
    let path = env::var_os(variable).with_context(|| {
        format!("{variable} is not set: run these tests with `cargo xtask check loop`")
    })?;
    Ok(path.into())
}
