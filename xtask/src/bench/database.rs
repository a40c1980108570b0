//! The cluster of a run, and the databases of its cases.

use std::cell::{Cell, RefCell};

use anyhow::Result;
use postgres::Client;

use crate::address::{Address, execute, query};
use crate::cluster::{Cluster, Place, Settings};
use crate::machine::toolchain::Toolchain;

/// Settings of the server with which no background work disturbs a measurement.
pub const PARAMETERS: [(&str, &str); 6] = [
    ("shared_buffers", "512MB"),
    ("maintenance_work_mem", "256MB"),
    ("max_wal_size", "16GB"),
    ("checkpoint_timeout", "1d"),
    ("autovacuum", "off"),
    ("jit", "off"),
];

/// The options of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The names of the cases; all of them when empty.
    pub cases: Vec<String>,
    /// The largest number of rows in a table.
    pub rows: u64,
    /// How often each variant runs.
    pub rounds: usize,
}

/// The connections that a case needs besides those of its roles.
const SUPERUSERS_CONNECTIONS: usize = 10;

fn settings() -> Settings {
    let parameters =
        PARAMETERS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings { place: Place::Disk, parameters: parameters.collect(), ..Settings::default() }
}

/// A run of the benchmark.
pub struct Bench {
    pub toolchain: Toolchain,
    pub cluster: Cluster,
    rows: u64,
    rounds: usize,
    databases: Cell<u32>,
}

impl Bench {
    pub fn start(toolchain: &Toolchain, options: &Options) -> Result<Self> {
        Self::on(toolchain, &settings(), options.rows, options.rounds)
    }

    fn on(toolchain: &Toolchain, settings: &Settings, rows: u64, rounds: usize) -> Result<Self> {
        let cluster = Cluster::start(&toolchain.pg, settings)?;
        let databases = Cell::new(0);
        Ok(Self { toolchain: toolchain.clone(), cluster, rows, rounds, databases })
    }

    /// The same run on a server of its own, for that many connections of roles with passwords.
    pub fn with_passwords(&self, connections: usize) -> Result<Self> {
        let mut settings = Settings { passwords: true, ..settings() };
        let connections = connections + SUPERUSERS_CONNECTIONS;
        settings.parameters.push(("max_connections".to_owned(), connections.to_string()));
        Self::on(&self.toolchain, &settings, self.rows, self.rounds)
    }

    /// The sizes that are not larger than the requested number of rows.
    pub fn sizes(&self, sizes: &[u64]) -> Vec<u64> {
        sizes.iter().copied().filter(|size| *size <= self.rows).collect()
    }

    /// How often a variant runs.
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// How often a slow variant runs.
    pub fn few_rounds(&self) -> usize {
        self.rounds.min(3)
    }

    /// The first of the functions and relations that is missing in the newest version.
    pub fn missing(&self, needs: &[&'static str]) -> Result<Option<&'static str>> {
        let database = self.database()?;
        let mut client = database.connect()?;
        for need in needs {
            let sql = format!(
                "SELECT FROM pg_proc WHERE pronamespace = 'orchestrator'::regnamespace AND proname = '{need}' \
                 UNION ALL SELECT FROM pg_class WHERE relnamespace = 'orchestrator'::regnamespace AND relname = '{need}'"
            );
            if query(&mut client, &sql)?.is_empty() {
                return Ok(Some(need));
            }
        }
        Ok(None)
    }

    /// A database without the extension.
    pub fn empty_database(&self) -> Result<Database> {
        let database = self.named();
        self.cluster.create_database(&database.name)?;
        Ok(database)
    }

    /// A database with a unique name, which is not created yet.
    fn named(&self) -> Database {
        self.databases.set(self.databases.get() + 1);
        let name = format!("bench_{}", self.databases.get());
        Database { address: (*self.cluster).clone(), name }
    }

    /// A copy of a database to which nobody is connected.
    pub fn copy_of(&self, original: &Database) -> Result<Database> {
        let database = self.named();
        self.cluster.copy_database(&original.name, &database.name)?;
        Ok(database)
    }

    /// A database with the extension at its newest version.
    pub fn database(&self) -> Result<Database> {
        let database = self.empty_database()?;
        execute(&mut database.connect()?, "CREATE EXTENSION orchestrator_schema")?;
        Ok(database)
    }
}

/// A database of a case, dropped at the end.
pub struct Database {
    address: Address,
    pub name: String,
}

impl Database {
    pub fn connect(&self) -> Result<Client> {
        self.address.connect(&self.name)
    }

    /// Connects as a role with a password.
    pub fn connect_with(&self, role: &str, password: &str) -> Result<Client> {
        self.address.connect_with(&self.name, role, password)
    }

    /// A client that several variants share.
    pub fn shared(&self) -> Result<RefCell<Client>> {
        Ok(RefCell::new(self.connect()?))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Err(error) = self.address.drop_database(&self.name) {
            eprintln!("{error:#}");
        }
    }
}
