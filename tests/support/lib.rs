//! Support for all server tests: the server that `cargo xtask check` started, and a database for each
//! test.

pub mod deadline;
pub mod dump;
pub mod extension;
pub mod random;
pub mod roles;
pub mod snapshot;
pub mod work;

use std::ops::Deref;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::{Result, anyhow};
use postgres::Client;
use xtask::address::{Address, quote_identifier};

/// The server to test against; the error names the command that starts one.
pub fn server() -> Result<&'static Address> {
    static SERVER: OnceLock<Result<Option<Address>, String>> = OnceLock::new();
    match SERVER.get_or_init(|| Address::from_environment().map_err(|error| format!("{error:#}"))) {
        Ok(Some(address)) => Ok(address),
        Ok(None) => Err(anyhow!(
            "these tests need a server of their own: run them with `cargo xtask check versions`"
        )),
        Err(error) => Err(anyhow!("{error}")),
    }
}

/// A new database for one test, dropped at the end. It dereferences to the server's `Address`.
pub struct Database {
    address: &'static Address,
    name: String,
    /// Connections that were handed back.
    idle: Mutex<Vec<Client>>,
}

impl Database {
    /// Creates a database whose name starts with the prefix.
    pub fn create(prefix: &str) -> Result<Self> {
        let database = Self::named(prefix)?;
        database.address.create_database(&database.name)?;
        Ok(database)
    }

    /// Creates a database with options of `CREATE DATABASE`.
    pub fn create_with(prefix: &str, options: &str) -> Result<Self> {
        let database = Self::named(prefix)?;
        let create = format!("CREATE DATABASE {} {options}", quote_identifier(&database.name));
        database.address.connect("postgres")?.batch_execute(&create)?;
        Ok(database)
    }

    /// Creates a copy of a database. Nobody may be connected to the original.
    pub fn copy_of(original: &Self, prefix: &str) -> Result<Self> {
        let database = Self::named(prefix)?;
        database.address.copy_database(&original.name, &database.name)?;
        Ok(database)
    }

    fn named(prefix: &str) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{prefix}_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        Ok(Self { address: server()?, name, idle: Mutex::default() })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The notices and warnings of one statement, with their details, as psql shows them.
    pub fn notices(&self, statement: &str) -> Result<String> {
        let output =
            self.command("psql").args(["-X", "-q", "-d", self.name(), "-c", statement]).output()?;
        Ok(String::from_utf8(output.stderr)?)
    }

    /// Connects as the superuser.
    pub fn client(&self) -> Result<Client> {
        self.address.connect(&self.name)
    }

    /// A connection of the superuser: one that was handed back, or a new one.
    pub fn borrow_client(&self) -> Result<Client> {
        let idle = self.idle().pop();
        idle.map_or_else(|| self.client(), Ok)
    }

    /// Keeps a connection for whoever borrows the next one. It is then as new, but for what server and client remember of
    /// tables, types and plans.
    pub fn hand_back(&self, mut client: Client) {
        const FORGET: &str = "ROLLBACK; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
             SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES";
        // Fails on a connection that was ended.
        if client.batch_execute(FORGET).is_ok() {
            self.idle().push(client);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Client>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects as the given role.
    pub fn client_as(&self, role: &str) -> Result<Client> {
        self.address.connect_as(&self.name, role)
    }
}

impl Deref for Database {
    type Target = Address;

    fn deref(&self) -> &Address {
        self.address
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.idle().clear();
        if let Err(error) = self.address.drop_database(&self.name) {
            eprintln!("{error:#}");
        }
    }
}
