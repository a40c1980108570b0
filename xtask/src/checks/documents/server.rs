//! The server that a page runs against. Databases have the names that the page gives them, the
//! shell's PATH has the programs of this PostgreSQL, and paths on the page are replaced by folders
//! of the check.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::answer;
use super::page::{Block, Language};
use crate::address::execute;
use crate::cluster::{Cluster, Settings, temporary_folder};
use crate::machine::process;
use crate::machine::toolchain::Toolchain;

/// The database that a page begins in.
const DATABASE: &str = "work";

/// The file, in the folder of the check, that holds the commands of a block.
const INPUT: &str = "commands";

/// Settings that the pages need, and a time limit for a statement that hangs.
const PARAMETERS: [(&str, &str); 4] = [
    ("wal_level", "logical"),
    ("max_prepared_transactions", "5"),
    ("statement_timeout", "300s"),
    ("log_timezone", "UTC"),
];

pub struct Server {
    cluster: Cluster,
    folder: TempDir,
    database: String,
    /// Paths and hosts that a page names, each with the one that the check uses instead.
    places: Vec<(&'static str, String)>,
}

impl Server {
    pub fn start(toolchain: &Toolchain) -> Result<Self> {
        let parameters =
            PARAMETERS.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let cluster =
            Cluster::start(&toolchain.pg, &Settings { parameters, ..Settings::default() })?;
        let folder = temporary_folder()?;
        let backups = folder.path().join("backups");
        fs::create_dir(&backups).with_context(|| format!("cannot create {}", backups.display()))?;
        let places = vec![
            ("/var/backups", backups.display().to_string()),
            (
                "/var/log/postgresql/postgresql-15-main.log",
                cluster.folder().join("log").display().to_string(),
            ),
            (
                "host=primary",
                format!("host={} port={}", cluster.socket_folder().display(), cluster.port()),
            ),
        ];
        let mut server = Self { cluster, folder, database: String::new(), places };
        server.use_database(DATABASE)?;
        Ok(server)
    }

    /// Runs the next blocks in this database, and creates it if it is missing.
    pub fn use_database(&mut self, name: &str) -> Result<()> {
        const EXISTS: &str = "SELECT FROM pg_database WHERE datname = $1";
        let mut client = self.cluster.connect("postgres")?;
        if client.query_opt(EXISTS, &[&name])?.is_none() {
            self.cluster.create_database(name)?;
        }
        name.clone_into(&mut self.database);
        Ok(())
    }

    /// Runs statements that readers of the page do not see.
    pub fn prepare(&self, statements: &str) -> Result<()> {
        let mut client = self.cluster.connect(&self.database)?;
        execute(&mut client, statements)
    }

    /// Runs a block and returns its output, errors included, as a page shows it.
    pub fn answer(&self, block: &Block) -> Result<String> {
        let mut beside = self.cluster.connect(&self.database)?;
        if let Some(statements) = &block.meanwhile {
            execute(&mut beside, &format!("BEGIN; {statements}"))?;
        }
        let commands = self.input(&self.with_own_places(&block.text))?;
        let output = match block.language {
            Language::Sql => self.run(self.psql(block), Stdio::from(commands))?,
            Language::Shell => self.run(self.shell()?, Stdio::null())?,
        };
        Ok(answer::shown(&self.with_named_places(&output)))
    }

    fn psql(&self, block: &Block) -> Command {
        let mut psql = self.cluster.command("psql");
        psql.args(["--no-psqlrc", "--quiet", "--pset=footer=off", "--pset=null=·"])
            .arg(format!("--dbname={}", self.database));
        if let Some(role) = &block.role {
            psql.arg(format!("--username={role}"));
        }
        psql
    }

    /// A shell that runs the input and has the programs of this PostgreSQL on its PATH.
    fn shell(&self) -> Result<Command> {
        let mut path = OsString::from(&self.cluster.pg_config().bindir);
        path.push(":");
        path.push(env::var_os("PATH").context("PATH is not set")?);
        let mut shell = Command::new("sh");
        shell.arg(INPUT);
        self.cluster.export(&mut shell).env("PATH", path);
        Ok(shell)
    }

    /// Writes a block's commands into a file and opens it.
    fn input(&self, text: &str) -> Result<File> {
        let file = self.folder.path().join(INPUT);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        File::open(&file).with_context(|| format!("cannot open {}", file.display()))
    }

    /// Runs a command and returns its output. Its exit status is ignored: the output shows errors.
    fn run(&self, mut command: Command, input: Stdio) -> Result<String> {
        let (mut reader, writer) = io::pipe()?;
        command
            .env("PGTZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            .current_dir(self.folder.path())
            .stdin(input)
            .stdout(writer.try_clone()?)
            .stderr(writer);
        let line = process::describe(&command);
        let mut child = command.spawn().with_context(|| format!("cannot start {line}"))?;
        // The command holds a writing end of the pipe; reading would never end while it is open.
        drop(command);
        let mut output = String::new();
        reader.read_to_string(&mut output).with_context(|| format!("{line} printed no UTF-8"))?;
        child.wait()?;
        Ok(output)
    }

    fn with_own_places(&self, text: &str) -> String {
        self.places.iter().fold(text.to_owned(), |text, (named, own)| text.replace(named, own))
    }

    fn with_named_places(&self, text: &str) -> String {
        self.places.iter().fold(text.to_owned(), |text, (named, own)| text.replace(own, named))
    }
}
