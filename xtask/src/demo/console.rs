//! The console of the demo: it works as a reviewer of the demo's database, and runs until `cargo xtask stop`.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::left_running::{command_line, end};
use crate::address::Address;
use crate::cluster::Cluster;
use crate::console::{self, Build, NAME};
use crate::machine::process;
use crate::machine::toolchain::Toolchain;

/// The role that the console works as. `examples/questions.sql` makes it a reviewer.
const REVIEWER: &str = "rosa";

/// The longest time for the console to begin.
const LIMIT: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(20);

/// Asks the questions of the demo.
pub fn ask(toolchain: &Toolchain, cluster: &Cluster, database: &str) -> Result<()> {
    let mut psql = cluster.command("psql");
    psql.args([
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        "--file",
        "examples/questions.sql",
    ])
    .arg(format!("--dbname={database}"))
    .current_dir(toolchain.project.root());
    process::output(&mut psql).map(drop)
}

/// Builds the console and leaves it running. Returns its address.
pub fn leave_running(
    toolchain: &Toolchain,
    address: &Address,
    database: &str,
    folder: &Path,
) -> Result<String> {
    let program = console::build(toolchain, Build::Debug)?;
    let log = folder.join("console.log");
    let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut console = Command::new(program);
    let console = process::without_postgres_settings(&mut console)
        .args(["--listen", "127.0.0.1:0", "--as-role", REVIEWER])
        .arg(format!("--database={}", address.connection_string(database)))
        .stdin(Stdio::null())
        .stderr(output.try_clone().context("cannot share the log of the console")?)
        .stdout(output)
        // Ctrl-C at the terminal is not for it.
        .process_group(0)
        .spawn()
        .context("cannot start the console")?;
    fs::write(folder.join("console.pid"), console.id().to_string())
        .context("cannot record the process of the console")?;
    let deadline = Instant::now() + LIMIT;
    loop {
        let text = fs::read_to_string(&log).unwrap_or_default();
        let line = text.split_once("The console:").and_then(|(_, rest)| rest.lines().next());
        if let Some(line) = line.filter(|line| line.contains("http")) {
            return Ok(line.trim().to_owned());
        }
        if Instant::now() > deadline {
            bail!("the console does not begin: {text}");
        }
        thread::sleep(GLANCE);
    }
}

/// Ends the console of a demo, if it runs.
pub fn stop(folder: &Path) -> Result<()> {
    let Ok(text) = fs::read_to_string(folder.join("console.pid")) else { return Ok(()) };
    let Ok(number) = text.trim().parse() else { return Ok(()) };
    // Another program may have its process id now.
    if !command_line(number).is_some_and(|line| line.contains(NAME)) {
        return Ok(());
    }
    end("the console", Pid::from_raw(number), &[Signal::SIGTERM, Signal::SIGKILL], || {
        !command_line(number).is_some_and(|line| line.contains(NAME))
    })
}
