//! A server that an earlier process left running, found by the pid file in its data folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::machine::process;

/// The longest time for a process to end, for each signal.
const LIMIT: Duration = Duration::from_secs(20);

pub struct LeftRunning {
    pid: Pid,
    pid_file: PathBuf,
}

impl LeftRunning {
    /// The server of that data folder; `None` if it does not run, even if another program has its
    /// process id now.
    pub fn find(data: &Path) -> Option<Self> {
        let pid_file = data.join("postmaster.pid");
        let text = fs::read_to_string(&pid_file).ok()?;
        let pid = text.lines().next()?.parse().ok()?;
        let is_ours = command_line(pid)?.contains(&*data.to_string_lossy());
        is_ours.then(|| Self { pid: Pid::from_raw(pid), pid_file })
    }

    /// Fast shutdown, then immediate shutdown, then SIGKILL.
    pub fn stop(&self) -> Result<()> {
        let signals = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGKILL];
        // The server removes its pid file last. Its process may stay as a zombie, since this process is
        // not its parent and cannot wait for it.
        end("the demo's server", self.pid, &signals, || {
            !self.pid_file.exists() || kill(self.pid, None) == Err(Errno::ESRCH)
        })
    }
}

/// Sends a process one signal after the other, until it has ended.
pub fn end(name: &str, pid: Pid, signals: &[Signal], has_ended: impl Fn() -> bool) -> Result<()> {
    for signal in signals {
        match kill(pid, *signal) {
            Err(Errno::ESRCH) => return Ok(()),
            outcome => outcome.with_context(|| format!("cannot signal {name}"))?,
        }
        let deadline = Instant::now() + LIMIT;
        while Instant::now() < deadline {
            if has_ended() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
    bail!("{name} (process {pid}) does not stop")
}

/// The command line of a running process.
pub fn command_line(pid: i32) -> Option<String> {
    if let Ok(bytes) = fs::read(format!("/proc/{pid}/cmdline")) {
        return Some(String::from_utf8_lossy(&bytes).replace('\0', " "));
    }
    let mut ps = Command::new("ps");
    process::output(ps.args(["-o", "command=", "-p", &pid.to_string()])).ok()
}
