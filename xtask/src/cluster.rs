//! Private PostgreSQL clusters: each has a folder and a socket of its own, and no network.
//! A cluster stops when it is dropped, on an error and on Ctrl-C.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::ops::Deref;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::{Signal, kill};
use nix::sys::statvfs::statvfs;
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::address::{Address, SUPERUSER};
use crate::machine::interrupt::{self, Registration};
use crate::machine::pg_config::PgConfig;
use crate::machine::process;
use crate::machine::server_user::ServerUser;

/// The longest path of a socket that every platform accepts.
const SOCKET_PATH_LIMIT: usize = 107;
/// The longest time for a server to start.
const START_LIMIT: Duration = Duration::from_secs(60);
/// The longest time for a server to stop, for each of the three ways of stopping it.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// The free bytes that a cluster in memory needs. The largest checks, two side by side, take 0.6 GB.
const MEMORY_NEEDED: u128 = 4 << 30;
/// The pause between two looks at a server's state while it starts or stops.
const GLANCE: Duration = Duration::from_millis(10);

/// The settings of a new cluster.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Whether its data survive a crash of the machine. Tests do not need that.
    pub durable: bool,
    pub place: Place,
    /// Further lines for `postgresql.conf`.
    pub parameters: Vec<(String, String)>,
}

/// The place of a cluster's folder.
#[derive(Clone, Debug, Default)]
pub enum Place {
    /// A temporary folder, in memory if it has room.
    #[default]
    Anywhere,
    /// A temporary folder in the system's usual place.
    Disk,
    /// This folder, empty or missing. It is not removed.
    Folder(PathBuf),
}

/// A running server; dereferences to its `Address`.
pub struct Cluster {
    address: Address,
    server: Arc<Mutex<Server>>,
    registration: Option<Registration>,
}

impl Deref for Cluster {
    type Target = Address;

    fn deref(&self) -> &Address {
        &self.address
    }
}

impl Cluster {
    /// Creates a cluster and starts its server.
    pub fn start(pg: &PgConfig, settings: &Settings) -> Result<Self> {
        Self::make(pg, settings, |server| server.initialise(pg, settings))
    }

    /// Creates a standby of a running cluster, and starts its server.
    pub fn standby_of(primary: &Self) -> Result<Self> {
        let pg = primary.pg_config();
        Self::make(pg, &Settings::default(), |server| server.copy(primary))
    }

    /// Creates a folder, has `fill` put the data into it, and starts the server.
    fn make(
        pg: &PgConfig,
        settings: &Settings,
        fill: impl FnOnce(&Server) -> Result<()>,
    ) -> Result<Self> {
        let user = ServerUser::current()?;
        let with_its_path = |folder: TempDir| (folder.path().to_owned(), Some(folder));
        let (folder, temporary) = match &settings.place {
            Place::Folder(folder) => {
                fs::create_dir_all(folder)
                    .with_context(|| format!("cannot create {}", folder.display()))?;
                (folder.clone(), None)
            }
            Place::Disk => with_its_path(temporary_folder()?),
            Place::Anywhere => {
                with_its_path(roomy_memory_folder().map_or_else(temporary_folder, Ok)?)
            }
        };
        user.own(&folder)?;
        let port = free_port()?;
        if !socket_fits(&folder) {
            bail!("{} is too long a path for a socket", folder.display());
        }
        let address = Address::new(pg, &folder, port);
        let server = Arc::new(Mutex::new(Server {
            program: pg.program("postgres"),
            user,
            folder,
            child: None,
            temporary,
        }));
        let guard = Arc::clone(&server);
        let registration = interrupt::on_exit(move || lock(&guard).end())?;
        let cluster = Self { address, server, registration: Some(registration) };
        let mut server = lock(&cluster.server);
        fill(&server)?;
        server.configure(port, settings)?;
        server.start(START_LIMIT)?;
        drop(server);
        Ok(cluster)
    }

    /// The folder that holds data, log and socket.
    pub fn folder(&self) -> PathBuf {
        lock(&self.server).folder.clone()
    }

    /// Stops the server in an orderly way. Its data stay until the cluster is dropped.
    pub fn stop(&self) -> Result<()> {
        lock(&self.server).stop()
    }

    /// Kills the server and all its processes in the middle of their work, as a crash would
    /// (SIGKILL).
    pub fn kill(&self) -> Result<()> {
        lock(&self.server).crash()
    }

    /// Starts the server again, after `stop`, `kill`, or while it runs.
    pub fn restart(&self) -> Result<()> {
        let mut server = lock(&self.server);
        server.stop()?;
        server.start_again()
    }

    /// Keeps the server running, and its data, when this process ends.
    pub fn leave_running(mut self) -> Address {
        self.registration.take();
        let mut server = lock(&self.server);
        server.child.take();
        if let Some(temporary) = server.temporary.take() {
            let _ = temporary.keep();
        }
        drop(server);
        self.address.clone()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        lock(&self.server).end();
    }
}

/// The server process and its folder.
struct Server {
    program: PathBuf,
    user: ServerUser,
    folder: PathBuf,
    child: Option<Child>,
    temporary: Option<TempDir>,
}

impl Server {
    fn data(&self) -> PathBuf {
        data_folder(&self.folder)
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn initialise(&self, pg: &PgConfig, settings: &Settings) -> Result<()> {
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
    fn copy(&self, primary: &Address) -> Result<()> {
        let mut copy = primary.command("pg_basebackup");
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--pgdata"])
            .arg(self.data())
            .current_dir(&self.folder);
        process::output(self.user.run(&mut copy))?;
        Ok(())
    }

    fn configure(&self, port: u16, settings: &Settings) -> Result<()> {
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
        Ok(())
    }

    /// Starts the server and waits until it accepts connections. It runs in a session of its own, so
    /// that neither Ctrl-C nor the end of a terminal stops it.
    fn start(&mut self, limit: Duration) -> Result<()> {
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
    fn start_again(&mut self) -> Result<()> {
        let deadline = Instant::now() + STOP_LIMIT;
        loop {
            match self.start(START_LIMIT) {
                Err(_) if Instant::now() < deadline => thread::sleep(GLANCE),
                outcome => return outcome,
            }
        }
    }

    /// Fast shutdown, then immediate shutdown, then SIGKILL.
    fn stop(&mut self) -> Result<()> {
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

    fn crash(&mut self) -> Result<()> {
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
    fn end(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("{}: {error:#}", self.folder.display());
        }
        self.temporary.take();
    }
}

fn lock(server: &Mutex<Server>) -> MutexGuard<'_, Server> {
    server.lock().unwrap_or_else(PoisonError::into_inner)
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

/// The folder, inside a cluster's folder, that holds the server's data.
pub fn data_folder(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// Whether the path of a socket in the folder is short enough.
pub fn socket_fits(folder: &Path) -> bool {
    folder.join(".s.PGSQL.65535").as_os_str().len() <= SOCKET_PATH_LIMIT
}

/// A new folder with a path short enough for sockets.
pub fn temporary_folder() -> Result<TempDir> {
    let base = std::env::temp_dir();
    let base =
        if socket_fits(&base.join("orchestrator-xxxxxx")) { base } else { PathBuf::from("/tmp") };
    temporary_folder_in(&base)
}

/// A new folder in memory; `None` if TMPDIR names another place, memory has too little room, or this
/// user may not write there. Tests create and drop many databases of some hundred files each, and
/// on some file systems that takes a third of the whole time.
fn roomy_memory_folder() -> Option<TempDir> {
    let shared_memory = Path::new("/dev/shm");
    let state = statvfs(shared_memory).ok()?;
    let room = u128::from(state.blocks_available()) * u128::from(state.fragment_size());
    if room < MEMORY_NEEDED || std::env::var_os("TMPDIR").is_some() {
        return None;
    }
    temporary_folder_in(shared_memory).ok()
}

fn temporary_folder_in(base: &Path) -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix("orchestrator-")
        .tempdir_in(base)
        .with_context(|| format!("cannot make a temporary folder in {}", base.display()))
}

/// A free port. A cluster uses it only in the name of its socket.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("cannot find a free port")?;
    Ok(listener.local_addr()?.port())
}

/// The last lines of a log.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_else(|error| anyhow!(error).to_string());
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
