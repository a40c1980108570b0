//! Private PostgreSQL clusters: each has a folder and a socket of its own, and no network.
//! A cluster stops when it is dropped, on an error and on Ctrl-C.

mod folder;
mod server;
mod settings;

use std::fs;
use std::net::TcpListener;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use self::server::{START_LIMIT, Server};
use crate::address::Address;
use crate::machine::interrupt::{self, Registration};
use crate::machine::pg_config::PgConfig;
use crate::machine::server_user::ServerUser;

pub use self::folder::{data_folder, fast_folder, socket_fits, temporary_folder};
pub use self::settings::{Place, Settings};

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
            Place::Anywhere => with_its_path(fast_folder()?),
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

fn lock(server: &Mutex<Server>) -> MutexGuard<'_, Server> {
    server.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A free port. A cluster uses it only in the name of its socket.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("cannot find a free port")?;
    Ok(listener.local_addr()?.port())
}
