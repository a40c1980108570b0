//! Programs that run beside this process and print a line that says where they listen.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};

use crate::machine::interrupt::{self, Registration};
use crate::machine::process::pid_of;

/// A program that listens on a port. It ends when this is dropped, or when this process is interrupted.
pub struct Program {
    child: Child,
    pub port: u16,
    _registration: Registration,
}

impl Program {
    /// Starts a program that prints a line with its port between two texts.
    pub fn start(command: &mut Command, before: &str, after: &str) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let pid = pid_of(&child)?;
        let _registration = interrupt::on_exit(move || {
            // Fails only if the program has ended by itself.
            let _ = kill(pid, Signal::SIGKILL);
        })?;
        let output = child.stdout.take().context("the program has no output")?;
        let mut program = Self { child, port: 0, _registration };
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
            eprintln!("a program did not end: {error}");
        }
    }
}
