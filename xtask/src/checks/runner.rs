//! Runs every check in a process of its own, with its output in a log, and prints a summary.
//! Checks that only read the sources run side by side, and so do those that only use the installed
//! extension.

use std::env;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};

use super::cases::FEW_CASES;
use super::check::Check;
use super::install;
use super::workbench::Workbench;
use crate::machine::interrupt;
use crate::machine::process;
use crate::machine::workers;

/// The number of lines shown from the log of the first failure.
const SHOWN_LINES: usize = 80;

/// Sets up, runs the checks, shows the first failure, and returns whether all passed.
pub fn run(workbench: &Workbench, checks: &[Check], few_cases: bool) -> Result<bool> {
    workbench.toolchain()?;
    // Taken now, because a check may rebuild this program and replace its file.
    let program = env::current_exe().context("cannot find this program's file")?;
    let logs = workbench.project.scratch();
    fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;

    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let (mut passed, mut skipped, mut failures) = (0, 0, Vec::new());
    for group in checks.chunk_by(Check::runs_beside) {
        let cannot_install = failures.iter().any(|(name, _)| *name == install::CHECK.name);
        if cannot_install && group.iter().all(Check::needs_extension) {
            for check in group {
                say(check.name, width, "skipped: nothing is installed");
            }
            skipped += group.len();
            continue;
        }
        let runs = Runs {
            program: &program,
            pg_config: workbench.pg_config(),
            few_cases,
            logs: &logs,
            width,
        };
        let logs_of_failures = runs.group(group)?;
        for (check, log) in group.iter().zip(logs_of_failures) {
            match log {
                None => passed += 1,
                Some(log) => failures.push((check.name, log)),
            }
        }
    }
    report(&failures)?;
    let skips = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    println!("{passed} passed, {} failed{skips}", failures.len());
    Ok(failures.is_empty())
}

/// The way in which checks are run.
struct Runs<'a> {
    /// The file of this program.
    program: &'a Path,
    pg_config: Option<&'a Path>,
    few_cases: bool,
    /// The folder of the logs.
    logs: &'a Path,
    /// The width of the longest name.
    width: usize,
}

impl Runs<'_> {
    /// Runs the checks of a group side by side, and returns the log of each that failed.
    fn group(&self, group: &[Check]) -> Result<Vec<Option<PathBuf>>> {
        let run = |(): &(), check: &Check| -> Result<Option<PathBuf>> {
            let log = self.logs.join(format!("{}.log", check.name));
            let start = Instant::now();
            let succeeded = self.apart(check, &log)?;
            interrupt::hold_if_pending();
            let outcome = if succeeded { "ok    " } else { "FAILED" };
            let seconds = start.elapsed().as_secs_f64();
            say(check.name, self.width, &format!("{outcome}  {seconds:6.1} s"));
            Ok((!succeeded).then_some(log))
        };
        // Most checks wait now and then: for a lease, a page, a standby.
        workers::share_among(workers::cores() + 1, group, || Ok(()), run)
    }

    /// Runs one check in a process group of its own, so that an interruption ends all its processes.
    fn apart(&self, check: &Check, log: &Path) -> Result<bool> {
        let file = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
        let mut command = Command::new(self.program);
        command.args(["check", check.name]);
        if let Some(path) = self.pg_config {
            command.arg("--pg-config").arg(path);
        }
        if self.few_cases {
            command.env(FEW_CASES, "1");
        }
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}", process::describe(&command)))?;
        let group = process::pid_of(&child)?;
        let registration = interrupt::on_exit(move || {
            // Fails only if the check has ended by itself.
            let _ = killpg(group, Signal::SIGTERM);
        })?;
        let status = child.wait()?;
        drop(registration);
        Ok(status.success())
    }
}

/// Prints the outcome of a check.
fn say(name: &str, width: usize, outcome: &str) {
    println!("{name:width$}  {outcome}");
}

fn report(failures: &[(&str, PathBuf)]) -> Result<()> {
    println!();
    let Some(((name, log), others)) = failures.split_first() else {
        return Ok(());
    };
    let content = fs::read(log).with_context(|| format!("cannot read {}", log.display()))?;
    let text = String::from_utf8_lossy(&content);
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().saturating_sub(SHOWN_LINES);
    println!("---- {name}: {} ----", log.display());
    if first > 0 {
        println!("… {first} lines before");
    }
    for line in &lines[first..] {
        println!("{line}");
    }
    println!("---- end of {name} ----");
    for (name, log) in others {
        println!("also failed: {name}: {}", log.display());
    }
    println!();
    Ok(())
}
