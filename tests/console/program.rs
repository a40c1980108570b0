//! Programs that a test starts and that say on standard output where they listen.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};

/// A program that listens on a port. It ends when this is dropped.
pub struct Program {
    child: Child,
    pub port: u16,
}

impl Program {
    /// Starts a program that prints a line with its port between two texts.
    pub fn start(command: &mut Command, before: &str, after: &str) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let output = child.stdout.take().context("the program has no output")?;
        let mut program = Self { child, port: 0 };
        let mut lines = BufReader::new(output).lines();
        for line in lines.by_ref() {
            let line = line?;
            let port = line.split_once(before).and_then(|(_, rest)| rest.split_once(after));
            if let Some((port, _)) = port {
                program.port = port.parse().with_context(|| line.clone())?;
                // A program whose output nobody reads may be blocked by it, or end.
                thread::spawn(move || lines.for_each(drop));
                return Ok(program);
            }
        }
        bail!("{} ended without a port", command.get_program().display())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("a program of the test did not end: {error}");
        }
    }
}

/// A path that `cargo xtask check console` passes.
pub fn path(variable: &str) -> Result<OsString> {
    env::var_os(variable).with_context(|| {
        format!("{variable} is not set: run these tests with `cargo xtask check console`")
    })
}
