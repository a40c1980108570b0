//! The address of a private cluster, for clients and for PostgreSQL's programs.
//! Server tests receive it through environment variables.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use postgres::{Client, NoTls, Row};

use crate::machine::pg_config::PgConfig;
use crate::machine::process;

/// The superuser of every private cluster.
pub const SUPERUSER: &str = "postgres";
/// The environment variable that passes the path of the `pg_config` in use to server tests.
pub const PG_CONFIG_VARIABLE: &str = "ORCHESTRATOR_PG_CONFIG";

/// The environment variable that passes the `pg_config` of several majors, oldest first, to the
/// tests between majors.
pub const PG_CONFIGS_VARIABLE: &str = "ORCHESTRATOR_PG_CONFIGS";

/// A server's socket and the installation it belongs to.
#[derive(Clone, Debug)]
pub struct Address {
    pg: PgConfig,
    socket_folder: PathBuf,
    port: u16,
}

impl Address {
    pub fn new(pg: &PgConfig, socket_folder: &Path, port: u16) -> Self {
        Self { pg: pg.clone(), socket_folder: socket_folder.to_owned(), port }
    }

    /// The address that `export` put into the environment; `None` when a test runs outside `cargo xtask check`.
    pub fn from_environment() -> Result<Option<Self>> {
        let Some(pg_config) = env::var_os(PG_CONFIG_VARIABLE) else {
            return Ok(None);
        };
        let socket_folder = env::var_os("PGHOST").context("PGHOST is not set")?;
        let port = env::var("PGPORT").context("PGPORT is not set")?;
        let pg = PgConfig::read(Path::new(&pg_config))?;
        let port = port.parse().with_context(|| format!("PGPORT is {port:?}"))?;
        Ok(Some(Self::new(&pg, Path::new(&socket_folder), port)))
    }

    /// Points a command, and the processes that it starts, at this server.
    pub fn export<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        process::without_postgres_settings(command)
            .env(PG_CONFIG_VARIABLE, &self.pg.path)
            .env("PGHOST", &self.socket_folder)
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", SUPERUSER)
    }

    /// The PostgreSQL installation that the server runs from.
    pub fn pg_config(&self) -> &PgConfig {
        &self.pg
    }

    /// The folder of the server's socket.
    pub fn socket_folder(&self) -> &Path {
        &self.socket_folder
    }

    /// The number in the socket's name.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A database of this server as a connection string without a role.
    pub fn connection_string(&self, database: &str) -> String {
        format!("host='{}' port={} dbname={database}", self.socket_folder.display(), self.port)
    }

    /// Connects as the superuser.
    pub fn connect(&self, database: &str) -> Result<Client> {
        self.connect_as(database, SUPERUSER)
    }

    /// Connects as the given role.
    pub fn connect_as(&self, database: &str, role: &str) -> Result<Client> {
        self.connect_with(database, role, "")
    }

    /// Connects as the given role, with a password for a server that asks for one.
    pub fn connect_with(&self, database: &str, role: &str, password: &str) -> Result<Client> {
        postgres::Config::new()
            .host_path(&self.socket_folder)
            .port(self.port)
            .user(role)
            .password(password)
            .dbname(database)
            .application_name("xtask")
            .connect(NoTls)
            .map_err(|error| anyhow!("{}", explain(&error)))
            .with_context(|| format!("cannot connect to database {database} as {role}"))
    }

    /// Creates an empty database.
    pub fn create_database(&self, name: &str) -> Result<()> {
        self.connect("postgres")?
            .batch_execute(&format!("CREATE DATABASE {}", quote_identifier(name)))
            .with_context(|| format!("cannot create database {name}"))
    }

    /// Creates a copy of a database. PostgreSQL refuses it while anybody is connected to the original.
    pub fn copy_database(&self, original: &str, name: &str) -> Result<()> {
        let (original, quoted) = (quote_identifier(original), quote_identifier(name));
        self.connect("postgres")?
            .batch_execute(&format!(
                "CREATE DATABASE {quoted} TEMPLATE {original} STRATEGY file_copy"
            ))
            .with_context(|| format!("cannot create database {name} as a copy of {original}"))
    }

    /// Drops a database, and ends the connections to it.
    pub fn drop_database(&self, name: &str) -> Result<()> {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quote_identifier(name));
        self.connect("postgres")?
            .batch_execute(&statement)
            .with_context(|| format!("cannot drop database {name}"))
    }

    /// A program of this installation (`psql`, `pg_dump`, …) that is pointed at this server.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.pg.program(program));
        self.export(&mut command);
        command
    }
}

/// Runs statements; the error shows them and the server's message.
pub fn execute(client: &mut Client, statements: &str) -> Result<()> {
    client
        .batch_execute(statements)
        .map_err(|error| anyhow!("{}", explain(&error)))
        .with_context(|| format!("this failed:\n{statements}"))
}

/// The rows of a query without parameters; the error shows the query and the server's message.
pub fn query(client: &mut Client, sql: &str) -> Result<Vec<Row>> {
    client
        .query(sql, &[])
        .map_err(|error| anyhow!("{}", explain(&error)))
        .with_context(|| format!("this failed:\n{sql}"))
}

/// A server's message with its SQLSTATE, DETAIL and HINT on lines of their own.
pub fn explain(error: &postgres::Error) -> String {
    let Some(report) = error.as_db_error() else {
        return error.to_string();
    };
    let mut text = format!("{} [{}]", report.message(), report.code().code());
    for (label, part) in
        [("DETAIL", report.detail()), ("HINT", report.hint()), ("CONTEXT", report.where_())]
    {
        if let Some(part) = part {
            text.push_str(&format!("\n{label}: {part}"));
        }
    }
    text
}

/// An identifier in double quotes.
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_quoted_with_their_quotes_doubled() {
        assert_eq!(quote_identifier("a"), "\"a\"");
        assert_eq!(quote_identifier("say \"hi\""), "\"say \"\"hi\"\"\"");
    }
}
