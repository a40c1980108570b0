//! The server process of a cluster: its data, its start and its end.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::folder::data_folder;
use super::settings::Settings;
use crate::address::{Address, SUPERUSER};
use crate::machine::pg_config::PgConfig;
use crate::machine::process;
use crate::machine::server_user::ServerUser;

/// The longest time for a server to start.
pub const START_LIMIT: Duration = Duration::from_secs(60);
/// The longest time for a server to stop, for each of the three ways of stopping it.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// The pause between two looks at a server's state while it starts or stops.
const GLANCE: Duration = Duration::from_millis(10);

/// The server process and its folder.
pub struct Server {
    pub program: PathBuf,
    pub user: ServerUser,
    pub folder: PathBuf,
    pub child: Option<Child>,
    pub temporary: Option<TempDir>,
}

impl Server {
    fn data(&self) -> PathBuf {
        data_folder(&self.folder)
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub fn initialise(&self, pg: &PgConfig, settings: &Settings) -> Result<()> {
        let mut initdb = Command::new(pg.program("initdb"));
        initdb
            .args(["--auth=trust", "--encoding=UTF8", "--locale=C"])
            .arg(format!("--username={SUPERUSER}"))
            .arg("--pgdata")
            .arg(self.data())
            .current_dir(&self.folder);
        if !settings.durable {
            initdb.arg("--no-sync");
        }
        process::without_postgres_settings(&mut initdb);
        process::output(self.user.run(&mut initdb))?;
        Ok(())
    }

    /// Copies the data of a running cluster, as those of a standby.
    pub fn copy(&self, primary: &Address) -> Result<()> {
        let mut copy = primary.command("pg_basebackup");
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--pgdata"])
            .arg(self.data())
            .current_dir(&self.folder);
        process::output(self.user.run(&mut copy))?;
        Ok(())
    }

    pub fn configure(&self, port: u16, settings: &Settings) -> Result<()> {
        let mut parameters = vec![
            ("listen_addresses".to_owned(), String::new()),
            ("unix_socket_directories".to_owned(), format!("\"{}\"", self.folder.display())),
            ("unix_socket_permissions".to_owned(), "0700".to_owned()),
            ("port".to_owned(), port.to_string()),
            ("max_connections".to_owned(), "200".to_owned()),
        ];
        if !settings.durable {
            for parameter in ["fsync", "synchronous_commit", "full_page_writes"] {
                parameters.push((parameter.to_owned(), "off".to_owned()));
            }
        }
        parameters.extend(settings.parameters.iter().cloned());
        let file = self.data().join("postgresql.conf");
        let mut configuration = OpenOptions::new()
            .append(true)
            .open(&file)
            .with_context(|| format!("cannot open {}", file.display()))?;
        for (name, value) in parameters {
            writeln!(configuration, "{name} = '{}'", value.replace('\'', "''"))?;
        }
        if settings.passwords {
            let file = self.data().join("pg_hba.conf");
            let rules = format!("local all {SUPERUSER} trust\nlocal all all scram-sha-256\n");
            fs::write(&file, rules).with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }

    /// Starts the server and waits until it accepts connections. It runs in a session of its own, so
    /// that neither Ctrl-C nor the end of a terminal stops it.
    pub fn start(&mut self, limit: Duration) -> Result<()> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .with_context(|| format!("cannot open {}", self.log().display()))?;
        let mut command = Command::new(&self.program);
        command
            .arg("-D")
            .arg(self.data())
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        process::without_postgres_settings(self.user.run(&mut command));
        // SAFETY: setsid is async-signal-safe and the closure touches no memory of this process.
        unsafe {
            command.pre_exec(|| {
                nix::unistd::setsid()?;
                Ok(())
            });
        }
        let child =
            command.spawn().with_context(|| format!("cannot start {}", self.program.display()))?;
        let pid = child.id();
        self.child = Some(child);
        let deadline = Instant::now() + limit;
        loop {
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait()?
            {
                self.child = None;
                bail!("the server ended with {status}:\n{}", tail(&self.log()));
            }
            if is_ready(&self.data(), pid) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the server did not start within {limit:?}:\n{}", tail(&self.log()));
            }
            thread::sleep(GLANCE);
        }
    }

    /// Starts the server, and repeats that while the backends of a killed server still hold its shared
    /// memory.
    pub fn start_again(&mut self) -> Result<()> {
        let deadline = Instant::now() + STOP_LIMIT;
        loop {
            match self.start(START_LIMIT) {
                Err(_) if Instant::now() < deadline => thread::sleep(GLANCE),
                outcome => return outcome,
            }
        }
    }

    /// Fast shutdown, then immediate shutdown, then SIGKILL.
    pub fn stop(&mut self) -> Result<()> {
        for signal in [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGKILL] {
            let Some(child) = &mut self.child else {
                return Ok(());
            };
            kill(process::pid_of(child)?, signal).context("cannot signal the server")?;
            let deadline = Instant::now() + STOP_LIMIT;
            while Instant::now() < deadline {
                if child.try_wait()?.is_some() {
                    self.child = None;
                    return Ok(());
                }
                thread::sleep(GLANCE);
            }
        }
        bail!("the server does not stop")
    }

    pub fn crash(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            let backends = children_of(child.id());
            child.kill()?;
            for backend in backends {
                // Fails only if the backend has ended by itself.
                let _ = kill(backend, Signal::SIGKILL);
            }
            child.wait()?;
        }
        Ok(())
    }

    /// Stops the server and cleans up. An error is only printed: a destructor cannot return it.
    pub fn end(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{}: {error:#}", self.folder.display());
        }
        self.temporary.take();
    }
}

/// The child processes of a process; none on a system without /proc.
fn children_of(parent: u32) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let process = |entry: fs::DirEntry| -> Option<Pid> {
        let id: i32 = entry.file_name().to_str()?.parse().ok()?;
        let status = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name before it is in parentheses, and may hold anything.
        let (_, rest) = status.rsplit_once(')')?;
        let its_parent: u32 = rest.split_whitespace().nth(1)?.parse().ok()?;
        (its_parent == parent).then(|| Pid::from_raw(id))
    };
    entries.filter_map(process).collect()
}

/// Whether the server with that process id accepts connections, as its pid file states.
fn is_ready(data: &Path, pid: u32) -> bool {
    fs::read_to_string(data.join("postmaster.pid")).is_ok_and(|text| {
        let mut lines = text.lines();
        lines.next() == Some(pid.to_string().as_str())
            && lines.nth(6).is_some_and(|state| state.trim_end() == "ready")
    })
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_else(|error| anyhow!(error).to_string());
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
