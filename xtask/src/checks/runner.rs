//! Runs every check, each in a process of its own with its output in a log,
//! and sums up.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, killpg};

use super::{CHECKS, Check, INSTALL, Run, Workbench};
use crate::interrupt;
use crate::process;

/// How much of the first failure's output is shown.
const SHOWN_LINES: usize = 80;

/// Sets up, runs every check, shows the first failure; tells whether all passed.
pub fn run_all(workbench: &Workbench) -> Result<bool> {
    workbench.toolchain()?;
    // Taken now: a check may build this program anew.
    let program = env::current_exe().context("cannot find this program's file")?;
    let logs = workbench.project.scratch();
    fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;

    let (mut passed, mut skipped, mut failures) = (0, 0, Vec::new());
    let width = CHECKS.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for check in CHECKS {
        print!("{:width$}  ", check.name);
        io::stdout().flush()?;
        let cannot_run = matches!(check.run, Run::WithExtension(_))
            && failures.iter().any(|(name, _)| *name == INSTALL.name);
        if cannot_run {
            println!("skipped: nothing is installed");
            skipped += 1;
            continue;
        }
        let log = logs.join(format!("{}.log", check.name));
        let start = Instant::now();
        let succeeded = run_apart(&program, workbench, check, &log)?;
        interrupt::hold_if_pending();
        let seconds = start.elapsed().as_secs_f64();
        if succeeded {
            println!("ok      {seconds:6.1} s");
            passed += 1;
        } else {
            println!("FAILED  {seconds:6.1} s");
            failures.push((check.name, log));
        }
    }
    report(&failures)?;
    let skips = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    println!("{passed} passed, {} failed{skips}", failures.len());
    Ok(failures.is_empty())
}

/// Runs one check in a process group of its own, which an interruption ends as a whole.
fn run_apart(program: &Path, workbench: &Workbench, check: &Check, log: &Path) -> Result<bool> {
    let file = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
    let mut command = Command::new(program);
    command.args(["check", check.name]);
    if let Some(path) = workbench.pg_config() {
        command.arg("--pg-config").arg(path);
    }
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0);
    let mut child =
        command.spawn().with_context(|| format!("cannot start {}", process::describe(&command)))?;
    let group = process::pid_of(&child)?;
    let registration = interrupt::on_exit(move || {
        // Fails only when the check has ended by itself.
        let _ = killpg(group, Signal::SIGTERM);
    })?;
    let status = child.wait()?;
    drop(registration);
    Ok(status.success())
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
