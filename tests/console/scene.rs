//! A database with questions, the console on it, and a role of every level.

use anyhow::Result;
use postgres::Client;
use postgres::types::ToSql;
use support::extension::{newest, walked_to};
use support::{Database, roles};
use xtask::console;
use xtask::machine::program::Program;

use super::browser::Browser;
use super::plain;
use super::program::path;
use super::session::{Kind, Use};

/// The project of every run.
pub const PROJECT: &str = "0198c5a0-0000-7000-8000-000000000001";

pub struct Scene {
    // The console ends before its database is dropped.
    console: Program,
    pub database: Database,
    // Browsers of tests before it wait while it is prepared.
    _browsers: Use,
}

impl Scene {
    pub fn new(name: &str) -> Result<Self> {
        Self::with(name, &[])
    }

    /// The same, with further options of the console.
    pub fn with(name: &str, options: &[&str]) -> Result<Self> {
        let browsers = Use::begin();
        Self::start(Self::prepared(name)?, options, browsers)
    }

    /// The console of one person, who does not sign in.
    pub fn of_one_person(name: &str, level: &str) -> Result<Self> {
        let browsers = Use::begin();
        let database = Self::prepared(name)?;
        let role = roles::name(&database, level);
        Self::start(database, &["--as-role", &role], browsers)
    }

    fn prepared(name: &str) -> Result<Database> {
        let database = walked_to(name, newest()?)?;
        roles::of_every_level(&database)?;
        Ok(database)
    }

    fn start(database: Database, options: &[&str], browsers: Use) -> Result<Self> {
        let program = path("ORCHESTRATOR_CONSOLE")?;
        let console = console::start(program, &database, database.name(), options)?;
        Ok(Self { console, database, _browsers: browsers })
    }

    pub fn port(&self) -> u16 {
        self.console.port
    }

    /// The address of the console, without a path.
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.console.port)
    }

    pub fn role(&self, level: &str) -> String {
        roles::name(&self.database, level)
    }

    pub fn client(&self) -> Result<Client> {
        self.database.client()
    }

    /// Ends the connections of the console to the database.
    pub fn end_connections(&self) -> Result<()> {
        const END: &str = "SELECT count(pg_terminate_backend(pid, 60000)) FROM pg_stat_activity \
             WHERE application_name = 'orchestrator-console' AND datname = current_database()";
        let ended: i64 = self.client()?.query_one(END, &[])?.try_get(0)?;
        assert!(ended > 0, "nobody was signed in");
        Ok(())
    }

    /// The one value of a statement, as text.
    pub fn value(&self, sql: &str, arguments: &[&(dyn ToSql + Sync)]) -> Result<String> {
        let row = self.client()?.query_one(&format!("SELECT ({sql})::text"), arguments)?;
        Ok(row.try_get::<_, Option<String>>(0)?.unwrap_or_default())
    }

    /// A run that asks whether it may go on. Returns the id of the question.
    pub fn ask(&self, thread: &str, reason: &str) -> Result<String> {
        ask(&mut self.client()?, thread, reason)
    }

    /// The state of a question.
    pub fn status(&self, id: &str) -> Result<String> {
        self.value("SELECT status FROM orchestrator.decision($1::text::uuid)", &[&id])
    }

    /// A browser in which somebody of a level is signed in.
    pub fn signed_in(&self, level: &str) -> Result<Browser> {
        self.signed_in_with(level, Kind::Usual)
    }

    pub fn signed_in_with(&self, level: &str, kind: Kind) -> Result<Browser> {
        let cookie = plain::cookie(self, level)?;
        let browser = Browser::open(&self.origin(), kind)?;
        browser.take(cookie)?;
        browser.visit("/")?;
        assert_eq!(browser.path()?, "/", "the inbox is shown to who has signed in");
        Ok(browser)
    }
}

/// A run that asks whether it may go on. Returns the id of the question.
pub fn ask(client: &mut Client, thread: &str, reason: &str) -> Result<String> {
    const START: &str = "SELECT orchestrator.ensure_run($1, $2::text::uuid, $1)";
    const ASK: &str = "SELECT orchestrator.request_review($1, 'gate_override', $2)::text";
    client.execute(START, &[&thread, &PROJECT])?;
    Ok(client.query_one(ASK, &[&thread, &reason])?.try_get(0)?)
}
