//! PgBouncer in transaction mode before the server of the tests, with fewer server connections than
//! clients.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use support::deadline::wait_until;
use tempfile::TempDir;
use xtask::address::Address;
use xtask::cluster::temporary_folder;
use xtask::machine::server_user::ServerUser;

pub struct Pooler {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Pooler {
    /// Starts a pooler for the server, on a socket of its own, for these roles.
    pub fn start(server: &Address, roles: &[String]) -> Result<Self> {
        let user = ServerUser::current()?;
        let folder = temporary_folder()?;
        // Used only in the name of the socket.
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let path = folder.path();
        let users: String = roles.iter().map(|role| format!("\"{role}\" \"\"\n")).collect();
        fs::write(path.join("users"), users)?;
        fs::write(path.join("settings"), settings(server, path, port))?;
        for file in [path, &path.join("users"), &path.join("settings")] {
            user.own(file)?;
        }
        let mut command = Command::new("pgbouncer");
        command.arg("--quiet").arg(path.join("settings")).current_dir(path).stdin(Stdio::null());
        let child = user.run(&mut command).spawn().context("cannot start pgbouncer")?;
        let mut pooler = Self { child, folder, port };
        let socket = pooler.folder.path().join(format!(".s.PGSQL.{port}"));
        wait_until("the start of pgbouncer", || {
            if let Some(status) = pooler.child.try_wait()? {
                bail!("pgbouncer ended with {status}:\n{}", pooler.log());
            }
            Ok(socket.exists())
        })?;
        Ok(pooler)
    }

    pub fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

fn settings(server: &Address, folder: &Path, port: u16) -> String {
    let (folder, host) = (folder.display(), server.socket_folder().display());
    format!(
        "[databases]\n\
         * = host={host} port={}\n\
         [pgbouncer]\n\
         unix_socket_dir = {folder}\n\
         listen_port = {port}\n\
         auth_type = trust\n\
         auth_file = {folder}/users\n\
         logfile = {folder}/log\n\
         pool_mode = transaction\n\
         default_pool_size = 4\n\
         max_client_conn = 100\n",
        server.port()
    )
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // Fails only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
